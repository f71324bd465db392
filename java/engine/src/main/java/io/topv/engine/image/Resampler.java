package io.topv.engine.image;

/**
 * Pillow's resize, bit for bit: separable, 22-bit fixed-point weights, each pass rounded to 8 bits.
 *
 * <p>out(x) = clamp(round(sum_k w[x][k] * in(first[x] + k))), first along rows, then along columns.
 * Each output pixel depends on its own weights only, so a window of the result is computed without
 * the rest of it.
 */
final class Resampler {
  private static final int PRECISION = 32 - 8 - 2;
  private static final int HALF = 1 << PRECISION - 1;

  private Resampler() {}

  /**
   * @param width columns of the whole result
   * @param height rows of the whole result
   * @param left first column of the window that is wanted
   * @param top first row of the window
   * @param columns width of the window
   * @param rows height of the window
   * @return the window, {@code columns} x {@code rows}
   */
  static RgbImage resize(
      RgbImage in,
      int width,
      int height,
      ResampleFilter filter,
      int left,
      int top,
      int columns,
      int rows) {
    // An axis that keeps its size is copied, not filtered, and so is a resize to the same size.
    boolean sameWidth = width == in.width();
    boolean sameHeight = height == in.height();
    if (filter == ResampleFilter.NEAREST && !(sameWidth && sameHeight)) {
      return nearest(in, width, height, left, top, columns, rows);
    }
    Taps across =
        sameWidth ? Taps.copy(left, columns) : taps(in.width(), width, filter, left, columns);
    Taps down = sameHeight ? Taps.copy(top, rows) : taps(in.height(), height, filter, top, rows);
    // Pillow shrinks very tall images the other way round, to save work.
    boolean tall = in.height() > 100L * in.width() && height < in.height();
    if (tall) {
      Taps all = Taps.copy(0, in.width());
      RgbImage narrow = columnsFirst(in, down, all, rows);
      return rowsFirst(narrow, across, Taps.copy(0, rows), columns, rows);
    }
    return rowsFirst(in, across, down, columns, rows);
  }

  /**
   * The weights of each output position: {@code weight[x * most + k]} for input {@code first[x] +
   * k}.
   */
  private record Taps(int[] first, int[] count, int[] weight, int most) {
    static Taps copy(int from, int length) {
      int[] first = new int[length];
      int[] count = new int[length];
      int[] weight = new int[length];
      for (int i = 0; i < length; i++) {
        first[i] = from + i;
        count[i] = 1;
        weight[i] = 1 << PRECISION;
      }
      return new Taps(first, count, weight, 1);
    }

    int begin() {
      return first[0];
    }

    int end() {
      int last = first.length - 1;
      return first[last] + count[last];
    }
  }

  private static Taps taps(int inSize, int outSize, ResampleFilter filter, int from, int length) {
    double scale = (double) inSize / outSize;
    double stretch = Math.max(scale, 1);
    double support = filter.support * stretch;
    double inverse = 1 / stretch;
    int most = (int) Math.ceil(support) * 2 + 1;
    most = Math.min(most, inSize);
    int[] first = new int[length];
    int[] count = new int[length];
    int[] weight = new int[Math.multiplyExact(length, most)];
    double[] exact = new double[most];
    for (int i = 0; i < length; i++) {
      double center = (from + i + 0.5) * scale;
      int low = Math.max(0, (int) (center - support + 0.5));
      int n = Math.min(inSize, (int) (center + support + 0.5)) - low;
      double sum = 0;
      for (int k = 0; k < n; k++) {
        exact[k] = filter.weight((k + low - center + 0.5) * inverse);
        sum += exact[k];
      }
      for (int k = 0; k < n; k++) {
        double w = sum != 0 ? exact[k] / sum : exact[k];
        weight[i * most + k] = (int) (w * (1 << PRECISION) + (w < 0 ? -0.5 : 0.5));
      }
      first[i] = low;
      count[i] = n;
    }
    return new Taps(first, count, weight, most);
  }

  private static RgbImage rowsFirst(RgbImage in, Taps across, Taps down, int columns, int rows) {
    int begin = down.begin();
    int[] wide = new int[3 * columns * (down.end() - begin)];
    for (int y = begin; y < down.end(); y++) {
      horizontal(in, y, across, wide, 3 * columns * (y - begin));
    }
    byte[] out = new byte[3 * columns * rows];
    vertical(wide, 3 * columns, begin, down, out);
    return new RgbImage(columns, rows, out);
  }

  private static RgbImage columnsFirst(RgbImage in, Taps down, Taps across, int rows) {
    int columns = across.first.length;
    byte[] out = new byte[3 * columns * rows];
    int[] band = new int[3 * columns * Math.max(1, down.most)];
    for (int y = 0; y < rows; y++) {
      // A tall image is narrow: widening one band of it at a time keeps the copy small.
      int from = 3 * columns * down.first[y];
      for (int i = 0; i < 3 * columns * down.count[y]; i++) {
        band[i] = in.pixels()[from + i] & 0xff;
      }
      int[] first = {0};
      int[] count = {down.count[y]};
      int[] weight = java.util.Arrays.copyOfRange(down.weight, y * down.most, (y + 1) * down.most);
      byte[] line = new byte[3 * columns];
      vertical(band, 3 * columns, 0, new Taps(first, count, weight, down.most), line);
      System.arraycopy(line, 0, out, 3 * columns * y, line.length);
    }
    return new RgbImage(columns, rows, out);
  }

  private static void horizontal(RgbImage in, int y, Taps taps, int[] out, int at) {
    byte[] pixels = in.pixels();
    int row = 3 * y * in.width();
    for (int x = 0; x < taps.first.length; x++) {
      int p = row + 3 * taps.first[x];
      int w = x * taps.most;
      int r = HALF;
      int g = HALF;
      int b = HALF;
      for (int end = w + taps.count[x]; w < end; w++, p += 3) {
        int k = taps.weight[w];
        r += (pixels[p] & 0xff) * k;
        g += (pixels[p + 1] & 0xff) * k;
        b += (pixels[p + 2] & 0xff) * k;
      }
      out[at + 3 * x] = clamp(r);
      out[at + 3 * x + 1] = clamp(g);
      out[at + 3 * x + 2] = clamp(b);
    }
  }

  private static void vertical(int[] in, int stride, int begin, Taps taps, byte[] out) {
    int[] sum = new int[stride];
    for (int y = 0; y < taps.first.length; y++) {
      java.util.Arrays.fill(sum, HALF);
      for (int k = 0; k < taps.count[y]; k++) {
        addScaled(sum, in, (taps.first[y] - begin + k) * stride, taps.weight[y * taps.most + k]);
      }
      for (int i = 0; i < stride; i++) {
        out[y * stride + i] = (byte) clamp(sum[i]);
      }
    }
  }

  /** Over ints from end to end, so that the JIT compiler vectorizes it. */
  private static void addScaled(int[] sum, int[] in, int from, int weight) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += in[from + i] * weight;
    }
  }

  private static int clamp(int sum) {
    return Math.max(0, Math.min(255, sum >> PRECISION));
  }

  private static RgbImage nearest(
      RgbImage in, int width, int height, int left, int top, int columns, int rows) {
    int[] xs = nearestIndices(in.width(), width, left, columns);
    int[] ys = nearestIndices(in.height(), height, top, rows);
    byte[] out = new byte[3 * columns * rows];
    int at = 0;
    for (int y : ys) {
      for (int x : xs) {
        int p = 3 * (y * in.width() + x);
        out[at++] = in.pixels()[p];
        out[at++] = in.pixels()[p + 1];
        out[at++] = in.pixels()[p + 2];
      }
    }
    return new RgbImage(columns, rows, out);
  }

  /** Summed step by step as Pillow does: a product would round differently now and then. */
  private static int[] nearestIndices(int inSize, int outSize, int from, int length) {
    double step = (double) inSize / outSize;
    double position = step * 0.5;
    int[] indices = new int[length];
    for (int i = 0; i < from + length; i++, position += step) {
      if (i >= from) {
        indices[i - from] = Math.min((int) position, inSize - 1);
      }
    }
    return indices;
  }
}
