package io.topv.cli.eval;

/** {@code correct} of {@code total}; a mean over seeds makes {@code correct} fractional. */
public record Proportion(double correct, int total) {
  private static final double Z = 1.959963984540054;

  public double value() {
    return total == 0 ? 0 : correct / total;
  }

  /** Lower end of Wilson's 95 % interval. */
  public double low() {
    return total == 0 ? 0 : Math.max(0, center() - reach());
  }

  /** Upper end of Wilson's 95 % interval. */
  public double high() {
    return total == 0 ? 1 : Math.min(1, center() + reach());
  }

  private double center() {
    return (value() + Z * Z / (2 * total)) / (1 + Z * Z / total);
  }

  private double reach() {
    double p = value();
    return Z / (1 + Z * Z / total) * Math.sqrt(p * (1 - p) / total + Z * Z / (4.0 * total * total));
  }
}
