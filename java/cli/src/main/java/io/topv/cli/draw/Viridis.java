package io.topv.cli.draw;

/**
 * The colour map viridis: perceptually uniform, readable without colour vision, dark to bright. A
 * fit of degree six per channel, off by less than 0.02.
 */
public final class Viridis {
  private static final double[][] COEFFICIENTS = {
    {0.274, 0.108, -0.327, -4.600, 6.204, 4.752, -5.432},
    {0.006, 1.396, 0.215, -5.758, 14.154, -13.749, 4.642},
    {0.333, 1.387, 0.092, -19.292, 56.656, -65.321, 26.272}
  };

  private Viridis() {}

  /** 0xRRGGBB of {@code t}, which is brought to [0, 1]; NaN is 0. */
  public static int rgb(double t) {
    double x = t > 0 ? Math.min(t, 1) : 0;
    int rgb = 0;
    for (double[] c : COEFFICIENTS) {
      double value = 0;
      for (int i = c.length - 1; i >= 0; i--) {
        value = value * x + c[i];
      }
      rgb = rgb << 8 | (int) Math.round(255 * Math.min(1, Math.max(0, value)));
    }
    return rgb;
  }
}
