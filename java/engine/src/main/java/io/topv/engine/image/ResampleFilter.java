package io.topv.engine.image;

/** Pillow's resampling filters. Declared in Pillow's numbering: the ordinal is the code. */
public enum ResampleFilter {
  NEAREST(0),
  LANCZOS(3),
  BILINEAR(1),
  BICUBIC(2),
  BOX(0.5),
  HAMMING(1);

  /** Half the filter's width, in output pixels when shrinking and input pixels when growing. */
  final double support;

  ResampleFilter(double support) {
    this.support = support;
  }

  /** The filter's weight at distance {@code t} from the centre; not defined for NEAREST. */
  double weight(double t) {
    double x = Math.abs(t);
    return switch (this) {
      case NEAREST -> throw new IllegalStateException("nearest takes one pixel, it has no weights");
      case BOX -> t > -0.5 && t <= 0.5 ? 1 : 0;
      case BILINEAR -> x < 1 ? 1 - x : 0;
      case HAMMING -> x == 0 ? 1 : x >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI));
      case BICUBIC -> cubic(x);
      case LANCZOS -> t >= -3 && t < 3 ? sinc(t) * sinc(t / 3) : 0;
    };
  }

  /** Keys' cubic with a = -0.5, in the factored form whose rounding Pillow has. */
  private static double cubic(double x) {
    double a = -0.5;
    if (x < 1) {
      return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }

  private static double sinc(double x) {
    double t = x * Math.PI;
    return x == 0 ? 1 : Math.sin(t) / t;
  }
}
