package io.topv.engine.model;

/**
 * Bicubic interpolation of a square grid of position embeddings (a = -0.75, half-pixel centres,
 * clamped borders), as transformers' interpolate_pos_encoding does it. The class token's row stays.
 */
final class PositionGrid {
  private static final double A = -0.75;

  private PositionGrid() {}

  /** From [1 + from * from, c] to [1 + to * to, c]. */
  static float[] resize(float[] stored, int from, int to, int c) {
    float[] out = new float[(1 + to * to) * c];
    System.arraycopy(stored, 0, out, 0, c);
    for (int y = 0; y < to; y++) {
      for (int x = 0; x < to; x++) {
        int row = 1 + y * to + x;
        sample(stored, from, c, centre(x, from, to), centre(y, from, to), out, row * c);
      }
    }
    return out;
  }

  private static double centre(int i, int from, int to) {
    return (i + 0.5) * from / to - 0.5;
  }

  private static void sample(float[] grid, int n, int c, double x, double y, float[] out, int at) {
    int left = (int) Math.floor(x);
    int top = (int) Math.floor(y);
    for (int dy = -1; dy <= 2; dy++) {
      for (int dx = -1; dx <= 2; dx++) {
        double weight = cubic(x - left - dx) * cubic(y - top - dy);
        int row = 1 + clamp(top + dy, n) * n + clamp(left + dx, n);
        for (int k = 0; k < c; k++) {
          out[at + k] += (float) (weight * grid[row * c + k]);
        }
      }
    }
  }

  private static int clamp(int i, int n) {
    return Math.max(0, Math.min(n - 1, i));
  }

  private static double cubic(double t) {
    double x = Math.abs(t);
    if (x <= 1) {
      return ((A + 2) * x - (A + 3)) * x * x + 1;
    }
    return x < 2 ? ((A * x - 5 * A) * x + 8 * A) * x - 4 * A : 0;
  }
}
