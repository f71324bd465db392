package io.topv.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class HalfTest {
  /** All 65,536 patterns against the value that IEEE 754 gives them. */
  @Test
  void convertsEveryPattern() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      double sign = (bits & 0x8000) == 0 ? 1 : -1;
      int exponent = bits >> 10 & 31;
      int fraction = bits & 1023;
      double expected =
          exponent == 31
              ? (fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN)
              : exponent == 0
                  ? sign * fraction * Math.pow(2, -24)
                  : sign * (1 + fraction / 1024.0) * Math.pow(2, exponent - 15);
      float actual = Half.toFloat((short) bits);
      assertThat(Float.floatToIntBits(actual))
          .as("%04x", bits)
          .isEqualTo(Float.floatToIntBits((float) expected));
    }
  }
}
