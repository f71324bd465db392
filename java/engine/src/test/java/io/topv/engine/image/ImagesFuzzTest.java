package io.topv.engine.image;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.topv.engine.TopvException;
import io.topv.engine.config.JsonObject;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever the bytes: a picture within the limits, or a TopvException of one line. */
final class ImagesFuzzTest {
  private static final ImageLimits LIMITS = new ImageLimits(1 << 20, 1 << 16);

  static Stream<byte[]> seeds() {
    return Goldens.seeds();
  }

  static Stream<byte[]> configs() {
    return Goldens.read("processor.json").stream()
        .map(entry -> entry.get("config").toString().getBytes())
        .distinct();
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "60s")
  void decode(byte[] data) {
    RgbImage image;
    ImageInfo info;
    try {
      image = Images.decode(data, "fuzz", LIMITS);
      info = Images.probe(data, "fuzz");
    } catch (TopvException e) {
      requireOneLine(e);
      return;
    }
    long pixels = (long) image.width() * image.height();
    boolean sameSize =
        info.transposed() ? info.width() == image.height() : info.width() == image.width();
    if (pixels > LIMITS.maxPixels() || !sameSize || image.pixels().length != 3 * pixels) {
      throw new AssertionError(info + " " + image);
    }
  }

  @MethodSource("configs")
  @FuzzTest(maxDuration = "10s")
  void config(byte[] json) {
    try {
      new ImageProcessor(ImageProcessorConfig.parse(JsonObject.parse("fuzz", json)));
    } catch (TopvException e) {
      requireOneLine(e);
    }
  }

  private static void requireOneLine(TopvException e) {
    if (e.getMessage().lines().count() != 1) {
      throw new AssertionError("not one line: " + e.getMessage());
    }
  }
}
