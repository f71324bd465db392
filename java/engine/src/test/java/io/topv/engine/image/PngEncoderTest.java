package io.topv.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PngEncoderTest {
  @TempDir Path dir;

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    Random random = new Random(3);
    for (int i = 0; i < 200; i++) {
      RgbImage image = Goldens.noise(1 + random.nextInt(30), 1 + random.nextInt(30), i);
      byte[] png = PngEncoder.encode(image);
      assertThat(Images.decode(png, "png")).isEqualTo(image);
      assertThat(byTheJdk(png)).isEqualTo(image);
    }
  }

  @Test
  void writesFiles() {
    RgbImage image = Goldens.noise(5, 3, 1);
    PngEncoder.write(dir.resolve("a.png"), image);
    assertThat(Images.decode(dir.resolve("a.png"))).isEqualTo(image);
    Path nowhere = dir.resolve("no/such/folder.png");
    assertThatThrownBy(() -> PngEncoder.write(nowhere, image))
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(nowhere + ": cannot be written");
  }

  private static RgbImage byTheJdk(byte[] png) throws IOException {
    BufferedImage read =
        ImageIO.read(new MemoryCacheImageInputStream(new ByteArrayInputStream(png)));
    byte[] pixels = new byte[3 * read.getWidth() * read.getHeight()];
    for (int i = 0; i < pixels.length / 3; i++) {
      int rgb = read.getRGB(i % read.getWidth(), i / read.getWidth());
      pixels[3 * i] = (byte) (rgb >> 16);
      pixels[3 * i + 1] = (byte) (rgb >> 8);
      pixels[3 * i + 2] = (byte) rgb;
    }
    return new RgbImage(read.getWidth(), read.getHeight(), pixels);
  }
}
