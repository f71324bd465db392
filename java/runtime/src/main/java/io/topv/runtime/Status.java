package io.topv.runtime;

/** Outcome of a native call; the codes are those of {@code topv_status}. */
public enum Status {
  OK,
  INVALID_ARGUMENT,
  UNSUPPORTED,
  OUT_OF_MEMORY,
  IO_ERROR,
  BACKEND_ERROR,
  INTERNAL;

  static Status of(int code) {
    return code >= 0 && code < values().length ? values()[code] : INTERNAL;
  }
}
