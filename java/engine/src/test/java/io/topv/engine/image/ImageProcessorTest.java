package io.topv.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.engine.config.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

final class ImageProcessorTest {
  @TestFactory
  Stream<DynamicTest> likeTransformers() {
    return Goldens.read("processor.json").stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.get("config") + " " + entry.get("in"), () -> check(entry)));
  }

  private static void check(JsonNode entry) {
    byte[] json = entry.get("config").toString().getBytes(StandardCharsets.UTF_8);
    ImageProcessor processor =
        new ImageProcessor(ImageProcessorConfig.parse(JsonObject.parse("config", json)));
    int width = entry.get("in").get(0).intValue();
    int height = entry.get("in").get(1).intValue();
    RgbImage image = Goldens.noise(width, height, entry.get("seed").intValue());
    if (entry.has("error")) {
      assertThatThrownBy(() -> processor.process(image)).isInstanceOf(TopvException.class);
      return;
    }
    PixelValues out = processor.process(image);
    assertThat(List.of(3, out.height(), out.width()))
        .isEqualTo(entry.get("out").valueStream().map(JsonNode::intValue).toList());
    for (int c = 0; c < 3; c++) {
      int middle = (c * out.height() + out.height() / 2) * out.width() + out.width() / 2;
      assertThat(out.values()[middle]).isEqualTo((float) entry.get("middle").get(c).doubleValue());
    }
    assertThat(Goldens.sha256(out.values())).isEqualTo(entry.get("values").stringValue());
  }

  @Test
  void threadsShareOneProcessor() {
    ImageProcessor processor = new ImageProcessor(ImageProcessorConfig.clip(64));
    List<RgbImage> images =
        IntStream.range(0, 32).mapToObj(i -> Goldens.noise(30 + 7 * i, 200 - 5 * i, i)).toList();
    List<String> alone =
        images.stream().map(i -> Goldens.sha256(processor.process(i).values())).toList();
    List<String> together =
        images.parallelStream().map(i -> Goldens.sha256(processor.process(i).values())).toList();
    assertThat(together).isEqualTo(alone);
  }

  /** The part outside the crop is never computed: 33 million columns would not fit. */
  @Test
  void anAbsurdAspectRatioCostsOnlyItsCrop() {
    ImageProcessor processor = new ImageProcessor(ImageProcessorConfig.clip(336));
    PixelValues out = processor.process(Goldens.noise(100_000, 1, 1));
    assertThat(out.values()).hasSize(3 * 336 * 336).doesNotContain(Float.NaN);
    assertThat(processor.process(Goldens.noise(1, 100_000, 1)).values()).hasSize(3 * 336 * 336);
  }

  @Test
  void refusesAnAbsurdResult() {
    String json = "{\"size\": 60000, \"do_center_crop\": false}";
    ImageProcessor processor =
        new ImageProcessor(
            ImageProcessorConfig.parse(
                JsonObject.parse("config", json.getBytes(StandardCharsets.UTF_8))));
    assertThatThrownBy(() -> processor.process(Goldens.noise(3, 2, 1)))
        .isInstanceOf(TopvException.class)
        .hasMessage("image of 3 x 2 pixels: resizing gives 90000 x 60000");
  }
}
