package io.topv.engine.weights;

/** IEEE 754 binary16; Java 17 has no conversion of its own. */
final class Half {
  private static final float SUBNORMAL_UNIT = 0x1p-24f;

  private Half() {}

  /** Exact for every pattern; a NaN stays a NaN. */
  static float toFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >>> 10) & 0x1f;
    int fraction = half & 0x3ff;
    if (exponent == 0) {
      float magnitude = fraction * SUBNORMAL_UNIT;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wide = exponent == 0x1f ? 0xff : exponent + (127 - 15);
    return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
  }
}
