package io.topv.runtime;

import java.nio.ByteOrder;

/** The 16-bit float formats in Java: every value of them is a float, so widening is exact. */
public final class HalfFloats {
  private HalfFloats() {}

  public static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** Rounds to nearest, ties to even; NaN stays NaN. */
  public static short floatToBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  public static float f16ToFloat(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = (bits >>> 10) & 0x1f;
    int mantissa = bits & 0x3ff;
    if (exponent == 0x1f) {
      return Float.intBitsToFloat(sign | 0x7f800000 | (mantissa << 13));
    }
    if (exponent == 0) {
      float value = mantissa * 0x1p-24f;
      return sign == 0 ? value : -value;
    }
    return Float.intBitsToFloat(sign | ((exponent + 112) << 23) | (mantissa << 13));
  }

  static void widen(DType dtype, short[] bits, float[] out, int offset) {
    for (int i = 0; i < bits.length; i++) {
      out[offset + i] = dtype == DType.BF16 ? bf16ToFloat(bits[i]) : f16ToFloat(bits[i]);
    }
  }

  /** Host memory of F32, F16 or BF16 as floats. */
  public static float[] toFloats(DType dtype, MemoryRange memory) {
    int count = Math.toIntExact(memory.bytes() / dtype.bytes());
    float[] out = new float[count];
    if (count == 0) {
      return out;
    }
    var bytes = new Address(memory.address()).bytes(memory.bytes()).asByteBuffer();
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    if (dtype == DType.F32) {
      bytes.asFloatBuffer().get(out);
      return out;
    }
    short[] bits = new short[count];
    bytes.asShortBuffer().get(bits);
    widen(dtype, bits, out, 0);
    return out;
  }
}
