package io.topv.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.engine.config.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ImageProcessorConfigTest {
  @TempDir Path dir;

  @Test
  void theNestedFormGoesFirst() throws IOException {
    Files.writeString(
        dir.resolve("preprocessor_config.json"), "{\"size\": 100, \"crop_size\": 100}");
    assertThat(ImageProcessorConfig.parse(dir)).isEqualTo(ImageProcessorConfig.clip(100));
    Files.writeString(dir.resolve("processor_config.json"), "{\"patch_size\": 14}");
    assertThat(ImageProcessorConfig.parse(dir)).isEqualTo(ImageProcessorConfig.clip(100));
    Files.writeString(
        dir.resolve("processor_config.json"),
        "{\"image_processor\": {\"size\": {\"shortest_edge\": 336}, \"crop_size\": 336}}");
    assertThat(ImageProcessorConfig.parse(dir)).isEqualTo(ImageProcessorConfig.clip(336));
  }

  @Test
  void namesTheFilesThatAreMissing() {
    assertThatThrownBy(() -> ImageProcessorConfig.parse(dir))
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(dir + ": no preprocessor_config.json");
  }

  @Test
  void defaultsAreThoseOfClip() {
    assertThat(parse("{}")).isEqualTo(ImageProcessorConfig.clip(224));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"image_processor_type\": \"SiglipImageProcessor\"} | c: image_processor_type = \"SiglipImageProcessor\"; expected CLIPImageProcessor or LlavaImageProcessor",
        "{\"size\": {\"longest_edge\": 3}} | c: size = {object}; expected shortest_edge, or height and width",
        "{\"size\": {\"height\": 0, \"width\": 3}} | c: size.height = 0; expected an integer from 1 to 65536",
        "{\"size\": [1, 2, 3]} | c: size = [list of 3]; expected one or two integers",
        "{\"size\": \"large\"} | c: size = \"large\"; expected an integer from 1 to 65536",
        "{\"crop_size\": {\"shortest_edge\": 3}} | c: crop_size = {object}; expected height and width",
        "{\"resample\": 6} | c: resample = 6; expected an integer from 0 to 5",
        "{\"image_mean\": [1, 2]} | c: image_mean = [list of 2]; expected 3 numbers",
        "{\"image_mean\": null} | c: image_mean = null; expected 3 numbers",
        "{\"image_mean\": [1, 2, \"x\"]} | c: image_mean = [list of 3]; expected a number or a list of numbers",
        "{\"image_std\": [1, 0, 1]} | c: image_std = [list of 3] would divide by zero",
        "{\"do_resize\": 1} | c: do_resize = 1; expected true or false",
        "{\"do_pad\": true, \"pad_size\": 7} | c: do_pad = true is supported for LlavaImageProcessor only",
        "{\"image_processor_type\": \"LlavaImageProcessor\", \"do_pad\": true, \"image_mean\": 2} | c: image_mean = 2 is no colour to pad with; expected 0 to 1",
      })
  void refuses(String json, String message) {
    assertThatThrownBy(() -> parse(json)).isInstanceOf(TopvException.class).hasMessage(message);
  }

  private static ImageProcessorConfig parse(String json) {
    return ImageProcessorConfig.parse(JsonObject.parse("c", json.getBytes(StandardCharsets.UTF_8)));
  }
}
