package io.topv.runtime;

/** Element type of a tensor; the codes are those of {@code topv_dtype}. */
public enum DType {
  F32(0, 4),
  F16(1, 2),
  BF16(2, 2),
  I32(3, 4);

  private final int code;
  private final int bytes;

  DType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  int code() {
    return code;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }
}
