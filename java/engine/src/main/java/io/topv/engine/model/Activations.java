package io.topv.engine.model;

import io.topv.runtime.Activation;

/** The configuration's activations in the contract's terms. */
final class Activations {
  private Activations() {}

  static Activation of(io.topv.engine.config.Activation configured) {
    return switch (configured) {
      case GELU -> Activation.GELU;
      case GELU_TANH -> Activation.GELU_TANH;
      case QUICK_GELU -> Activation.QUICK_GELU;
    };
  }
}
