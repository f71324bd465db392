package io.topv.runtime;

/** Elementwise activation; the codes are those of {@code topv_activation}. */
public enum Activation {
  NONE,
  /** {@code x * Phi(x)}, exact. */
  GELU,
  /** The tanh approximation of GELU. */
  GELU_TANH,
  /** {@code x * sigmoid(1.702 x)}, as CLIP uses it. */
  QUICK_GELU;

  int code() {
    return ordinal();
  }
}
