package io.topv.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ImagesTest {
  @TempDir Path dir;

  private static byte[] synthetic(String name) {
    return Goldens.resource("synthetic/" + name).orElseThrow();
  }

  /** A cut file is an error, or, where only what follows the pixels is gone, the whole picture. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "420-17x13.jpg", "420-progressive-17x13.jpg", "rgb8-13x11.png",
            "palette4-interlaced-13x11.png",
        "palette-interlaced-13x11.gif", "24bit-13x11.bmp", "rle8-full.bmp",
            "lossy-17x13-alpha.webp",
        "lossless-17x13.webp", "animated-lossy.webp", "exif-le-6.jpg", "many-idat.png"
      })
  void everyPrefixIsWholeOrAnError(String name) {
    byte[] data = synthetic(name);
    RgbImage whole = Images.decode(data, name);
    int refused = 0;
    for (int length = 0; length < data.length; length++) {
      RgbImage image;
      try {
        image = Images.decode(Arrays.copyOf(data, length), name);
      } catch (TopvException e) {
        refused++;
        continue;
      }
      assertThat(image).as("first %d bytes", length).isEqualTo(whole);
    }
    assertThat(refused).isGreaterThan(data.length / 2);
  }

  @ParameterizedTest
  @CsvSource({
    "empty.png, is empty (0 bytes); expected an image",
    "text.jpg, 'is data of an unknown kind; expected JPEG, PNG, WebP, GIF or BMP'",
    "unsupported.tiff, 'is a TIFF image; expected JPEG, PNG, WebP, GIF or BMP'",
    "bomb.png, '60000 x 60000 is 3600000000 pixels, the limit is 178956970'",
    "bomb.jpg, '65000 x 65000 is 4225000000 pixels, the limit is 178956970'",
    "no-eoi.jpg, is truncated: the JPEG ends before its end marker",
    "cut-idat.png, is truncated: row 3 of 5 is missing",
    "12-bit.jpg, is a JPEG of 12 bits per sample; 8 are decoded",
  })
  void saysWhatIsWrong(String name, String message) {
    assertThatThrownBy(() -> Images.decode(synthetic(name), name))
        .isInstanceOf(TopvException.class)
        .hasMessage(name + ": " + message);
  }

  @Test
  void limitsHoldBeforeDecoding() {
    byte[] data = synthetic("rgb8-13x11.png");
    assertThat(Images.decode(data, "p", new ImageLimits(data.length, 143)).width()).isEqualTo(13);
    assertThatThrownBy(() -> Images.decode(data, "p", new ImageLimits(data.length, 142)))
        .hasMessage("p: 13 x 11 is 143 pixels, the limit is 142");
    assertThatThrownBy(() -> Images.decode(data, "p", new ImageLimits(data.length - 1, 143)))
        .hasMessage("p: " + data.length + " bytes, the limit is " + (data.length - 1));
  }

  @Test
  void filesAreNamedWhenTheyCannotBeRead() throws IOException {
    Path missing = dir.resolve("missing.png");
    assertThatThrownBy(() -> Images.decode(missing)).hasMessage(missing + ": no such file");
    assertThatThrownBy(() -> Images.probe(dir))
        .hasMessage(dir + ": is a directory; expected an image");
    Path large = dir.resolve("large.png");
    Files.write(large, new byte[100]);
    assertThatThrownBy(() -> Images.decode(large, new ImageLimits(99, 1)))
        .isInstanceOf(TopvException.class)
        .hasMessage(large + ": more than 99 bytes, the limit for an image");
  }

  @Test
  void theContentDecidesNotTheName() throws IOException {
    Path file = dir.resolve("picture.png");
    Files.write(file, synthetic("420-17x13.jpg"));
    assertThat(Images.probe(file).format()).isEqualTo(ImageFormat.JPEG);
    assertThat(Images.decode(file).height()).isEqualTo(13);
  }

  @Test
  void framesAreCounted() {
    assertThat(Images.probe(synthetic("two.mpo"), "m").frames()).isEqualTo(2);
    assertThat(Images.probe(synthetic("apng.png"), "a").frames()).isEqualTo(2);
    assertThat(Images.probe(synthetic("apng-default-image.png"), "a").frames()).isEqualTo(2);
    assertThat(Images.probe(synthetic("animated-lossless.webp"), "w").frames()).isEqualTo(2);
    assertThat(Images.probe(synthetic("420-17x13.jpg"), "j").frames()).isEqualTo(1);
  }

  /** Metadata that cannot be read never costs the picture; Pillow refuses this one. */
  @Test
  void aBrokenExifBlockIsNoOrientation() {
    byte[] data = synthetic("exif-6.webp");
    byte[] broken = data.clone();
    int at = new String(data, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("II*\0");
    broken[at] = 'X';
    assertThat(Images.probe(data, "w").orientation()).isEqualTo(6);
    assertThat(Images.probe(broken, "w").orientation()).isEqualTo(1);
    assertThat(Images.decode(broken, "w").width()).isEqualTo(Images.decode(data, "w").height());
  }
}
