package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Against torch.nn.functional.interpolate(mode="bicubic", align_corners=False) in float64. */
final class PositionGridTest {
  private static final float[] STORED = {99, 8, 8, -5, -4, -4, -3, -4, 5, 5};

  @Test
  void equalsTorch() {
    equals(1, -4.0);
    equals(2, 5.553848, -2.620529, -2.870056, 3.339691);
    equals(
        5, 9.152, 10.184768, 9.152, 0.373472, -6.569024, 3.406208, 3.632288, 2.696, -1.938208,
        -5.519616, -4.0, -4.072, -4.0, -3.388, -2.904, -5.392768, -2.827408, 0.644, 1.894928,
        2.174016, -4.946944, -0.165856, 5.864, 6.515456, 5.758784);
  }

  private static void equals(int side, double... expected) {
    float[] grid = PositionGrid.resize(STORED, 3, side, 1);
    assertThat(grid).hasSize(1 + side * side);
    assertThat(grid[0]).as("class token").isEqualTo(99);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) grid[i + 1]).isCloseTo(expected[i], Offset.offset(5e-6));
    }
  }

  @Test
  void theSameSizeIsTheSameGrid() {
    assertThat(PositionGrid.resize(STORED, 3, 3, 1)).isEqualTo(STORED);
  }

  @Test
  void channelsAreApart() {
    Random random = new Random(5);
    int c = 4;
    float[] all = new float[(1 + 16) * c];
    for (int i = 0; i < all.length; i++) {
      all[i] = random.nextFloat();
    }
    float[] resized = PositionGrid.resize(all, 4, 7, c);
    for (int k = 0; k < c; k++) {
      float[] one = PositionGrid.resize(column(all, c, k), 4, 7, 1);
      assertThat(column(resized, c, k)).isEqualTo(one);
    }
  }

  private static float[] column(float[] rows, int c, int k) {
    float[] column = new float[rows.length / c];
    for (int i = 0; i < column.length; i++) {
      column[i] = rows[i * c + k];
    }
    return column;
  }
}
