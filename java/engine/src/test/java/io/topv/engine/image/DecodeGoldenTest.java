package io.topv.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.topv.engine.TopvException;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/**
 * Verdict, facts, pixels and pixel values of every picture equal those of Pillow and transformers.
 */
final class DecodeGoldenTest {
  private enum Difference {
    /** Pillow decodes it, we say no. */
    REFUSED,
    /** Both decode it, to other pixels. */
    PIXELS
  }

  /** The reasons stand in src/test/resources/images/EXCEPTIONS.md. */
  private static final Map<String, Difference> EXCEPTIONS =
      Map.of(
          "synthetic/unsupported.tiff", Difference.REFUSED,
          "synthetic/unsupported.ppm", Difference.REFUSED,
          "synthetic/unsupported.tga", Difference.REFUSED,
          "synthetic/sof9.jpg", Difference.REFUSED,
          "synthetic/progressive-without-last-scan.jpg", Difference.PIXELS);

  /** Equal only where the JDK was built with libjpeg-turbo. */
  private static final Map<String, Difference> OLD_LIBJPEG =
      Map.of(
          "synthetic/garbage-scan.jpg", Difference.PIXELS,
          "corpus/broken/hopper_bad_exif.jpg", Difference.PIXELS);

  private final ImageProcessor processor = new ImageProcessor(ImageProcessorConfig.clip(336));

  @TestFactory
  Stream<DynamicTest> likePillow() {
    boolean old = jdkHasOldLibjpeg();
    return Goldens.read("decode.json").stream()
        .map(
            entry -> {
              String file = entry.get("file").stringValue();
              Optional<Difference> difference =
                  Optional.ofNullable(EXCEPTIONS.get(file))
                      .or(() -> Optional.ofNullable(old ? OLD_LIBJPEG.get(file) : null));
              return DynamicTest.dynamicTest(file, () -> check(file, entry, difference));
            });
  }

  private void check(String file, JsonNode entry, Optional<Difference> difference) {
    Optional<byte[]> picture = Goldens.picture(file);
    assumeTrue(picture.isPresent(), "large picture: shared/images is not beside the checkout");
    byte[] data = picture.get();
    if (entry.has("error") || difference.equals(Optional.of(Difference.REFUSED))) {
      assertThatThrownBy(() -> Images.decode(data, file))
          .isInstanceOf(TopvException.class)
          .message()
          .startsWith(file + ": ")
          .doesNotContain("\n");
      return;
    }
    ImageInfo info = Images.probe(data, file);
    assertThat(info.format().name()).isEqualTo(entry.get("format").stringValue());
    assertThat(info.mode()).isEqualTo(entry.get("mode").stringValue());
    assertThat(info.width()).isEqualTo(entry.get("stored").get(0).intValue());
    assertThat(info.height()).isEqualTo(entry.get("stored").get(1).intValue());
    assertThat(info.orientation()).isEqualTo(entry.get("orientation").intValue());
    assertThat(info.bytes()).isEqualTo(data.length);

    RgbImage image = Images.decode(data, file);
    assertThat(image.width()).isEqualTo(entry.get("size").get(0).intValue());
    assertThat(image.height()).isEqualTo(entry.get("size").get(1).intValue());
    boolean same = Goldens.sha256(image.pixels()).equals(entry.get("rgb").stringValue());
    assertThat(same).as("same pixels").isEqualTo(difference.isEmpty());
    if (same) {
      String values = Goldens.sha256(processor.process(image).values());
      assertThat(values).isEqualTo(entry.get("values").stringValue());
    }
  }

  @Test
  void exceptionsAreDocumentedAndExist() {
    String text = new String(Goldens.resource("EXCEPTIONS.md").orElseThrow());
    assertThat(text).contains(EXCEPTIONS.keySet()).contains(OLD_LIBJPEG.keySet());
    assertThat(Goldens.read("decode.json"))
        .extracting(entry -> entry.get("file").stringValue())
        .containsAll(EXCEPTIONS.keySet())
        .containsAll(OLD_LIBJPEG.keySet());
  }

  /** libjpeg 6b repeats the rows of a component of half height, libjpeg-turbo does not. */
  private static boolean jdkHasOldLibjpeg() {
    byte[] picture = Goldens.resource("synthetic/440-32x32.jpg").orElseThrow();
    for (Iterator<ImageReader> it = ImageIO.getImageReadersByFormatName("jpeg"); it.hasNext(); ) {
      ImageReader reader = it.next();
      if (reader.getClass().getName().startsWith("com.sun.imageio.")) {
        try {
          reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(picture)));
          Raster raster = reader.readRaster(0, null);
          int[] even = raster.getSamples(0, 10, 32, 1, 1, (int[]) null);
          int[] odd = raster.getSamples(0, 11, 32, 1, 1, (int[]) null);
          return java.util.Arrays.equals(even, odd);
        } catch (IOException e) {
          throw new IllegalStateException(e);
        }
      }
    }
    throw new IllegalStateException("no JPEG reader in this JDK");
  }
}
