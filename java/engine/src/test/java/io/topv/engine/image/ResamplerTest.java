package io.topv.engine.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class ResamplerTest {
  @TestFactory
  Stream<DynamicTest> likePillow() {
    return Goldens.read("resize.json").stream()
        .map(
            entry -> {
              int width = entry.get("in").get(0).intValue();
              int height = entry.get("in").get(1).intValue();
              int outWidth = entry.get("out").get(0).intValue();
              int outHeight = entry.get("out").get(1).intValue();
              ResampleFilter filter = ResampleFilter.values()[entry.get("resample").intValue()];
              String name =
                  width + "x" + height + " to " + outWidth + "x" + outHeight + " " + filter;
              RgbImage image = Goldens.noise(width, height, entry.get("seed").intValue());
              return DynamicTest.dynamicTest(
                  name,
                  () ->
                      assertThat(Goldens.sha256(whole(image, outWidth, outHeight, filter).pixels()))
                          .isEqualTo(entry.get("rgb").stringValue()));
            });
  }

  @Test
  void aWindowIsAPartOfTheWhole() {
    Random random = new Random(7);
    for (int i = 0; i < 300; i++) {
      RgbImage image = Goldens.noise(1 + random.nextInt(40), 1 + random.nextInt(300), i);
      int width = 1 + random.nextInt(50);
      int height = 1 + random.nextInt(50);
      ResampleFilter filter = ResampleFilter.values()[random.nextInt(6)];
      int columns = 1 + random.nextInt(width);
      int rows = 1 + random.nextInt(height);
      int left = random.nextInt(width - columns + 1);
      int top = random.nextInt(height - rows + 1);
      RgbImage all = whole(image, width, height, filter);
      RgbImage part = Resampler.resize(image, width, height, filter, left, top, columns, rows);
      for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
          for (int c = 0; c < 3; c++) {
            assertThat(part.at(x, y, c)).isEqualTo(all.at(left + x, top + y, c));
          }
        }
      }
    }
  }

  private static RgbImage whole(RgbImage image, int width, int height, ResampleFilter filter) {
    return Resampler.resize(image, width, height, filter, 0, 0, width, height);
  }
}
