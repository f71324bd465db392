package io.topv.flashattention;

import static io.topv.flashattention.global.flash_attn.*;

/** float, half and bfloat16 as bits; rounded to nearest even. */
final class Elements {
  private Elements() {}

  static int size(int dtype) {
    return dtype == FLASH_ATTN_F32 ? 4 : 2;
  }

  static int bits(float value, int dtype) {
    int bits = Float.floatToRawIntBits(value);
    if (dtype == FLASH_ATTN_F32) {
      return bits;
    }
    if (dtype == FLASH_ATTN_BF16) {
      return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
    }
    // Halves of normal size: 10 bits of fraction instead of 23, an exponent less by 112.
    int rounded = bits + 0xfff + (bits >>> 13 & 1);
    int magnitude = (rounded & 0x7fffffff) - (112 << 23);
    return bits >>> 16 & 0x8000 | (magnitude < 1 << 23 ? 0 : magnitude >>> 13);
  }

  static float value(int bits, int dtype) {
    if (dtype == FLASH_ATTN_F32) {
      return Float.intBitsToFloat(bits);
    }
    if (dtype == FLASH_ATTN_BF16) {
      return Float.intBitsToFloat(bits << 16);
    }
    int exponent = bits >>> 10 & 31;
    float magnitude =
        exponent == 0
            ? Math.scalb((float) (bits & 1023), -24)
            : Math.scalb((float) (1024 + (bits & 1023)), exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
  }

  /** What a dtype makes of a value. */
  static float round(float value, int dtype) {
    return value(bits(value, dtype), dtype);
  }
}
