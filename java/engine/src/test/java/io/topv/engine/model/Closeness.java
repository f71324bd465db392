package io.topv.engine.model;

/** How far computed numbers are from golden ones. NaN anywhere is infinitely far. */
final class Closeness {
  private Closeness() {}

  /** max |a - b| / max |b|. */
  static double relative(float[] actual, float[] golden) {
    requireSameLength(actual, golden);
    double difference = 0;
    double largest = 0;
    for (int i = 0; i < golden.length; i++) {
      double d = Math.abs((double) actual[i] - golden[i]);
      if (!(d <= Double.MAX_VALUE)) {
        return Double.POSITIVE_INFINITY;
      }
      difference = Math.max(difference, d);
      largest = Math.max(largest, Math.abs(golden[i]));
    }
    return difference == 0 ? 0 : difference / largest;
  }

  /** a . b / (|a| |b|), -1 where it is not a number. */
  static double cosine(float[] actual, float[] golden) {
    requireSameLength(actual, golden);
    double product = 0;
    double a = 0;
    double b = 0;
    for (int i = 0; i < golden.length; i++) {
      product += (double) actual[i] * golden[i];
      a += (double) actual[i] * actual[i];
      b += (double) golden[i] * golden[i];
    }
    double cosine = product / Math.sqrt(a * b);
    return Double.isNaN(cosine) ? -1 : cosine;
  }

  private static void requireSameLength(float[] actual, float[] golden) {
    if (actual.length != golden.length || golden.length == 0) {
      throw new AssertionError(actual.length + " values for " + golden.length + " golden ones");
    }
  }
}
