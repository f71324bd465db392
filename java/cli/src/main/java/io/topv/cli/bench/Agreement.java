package io.topv.cli.bench;

import io.topv.runtime.DType;
import io.topv.runtime.Tensor;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/**
 * How far numbers are from what they should be: the largest difference, relative to the size of the
 * number plus that of all of them (root mean square). NaN is far from everything.
 */
final class Agreement {
  private double squares;
  private int count;
  private double[] actual = new double[64];
  private double[] expected = new double[64];

  void add(double is, double shouldBe) {
    if (count == actual.length) {
      actual = Arrays.copyOf(actual, 2 * count);
      expected = Arrays.copyOf(expected, 2 * count);
    }
    actual[count] = is;
    expected[count++] = shouldBe;
    squares += shouldBe * shouldBe;
  }

  /** A row, element by element. */
  void add(Tensor is, IntToDoubleFunction shouldBe) {
    float[] values = is.toFloats();
    for (int i = 0; i < values.length; i++) {
      add(values[i], shouldBe.applyAsDouble(i));
    }
  }

  /** The error of a single row. */
  static double error(Tensor is, IntToDoubleFunction shouldBe) {
    Agreement agreement = new Agreement();
    agreement.add(is, shouldBe);
    return agreement.error();
  }

  double error() {
    double worst = 0;
    double size = Math.sqrt(squares / Math.max(1, count));
    for (int i = 0; i < count; i++) {
      double off = Math.abs(actual[i] - expected[i]);
      double relative = off == 0 ? 0 : off / (Math.abs(expected[i]) + size);
      worst = Double.isNaN(relative) ? Double.POSITIVE_INFINITY : Math.max(worst, relative);
    }
    return worst;
  }

  /** What rounding may do: a few steps of BF16's 2^-9, or many of float32's 2^-24. */
  static double allowed(DType dtype) {
    return dtype == DType.F32 ? 0x1p-15 : 0x1p-6;
  }
}
