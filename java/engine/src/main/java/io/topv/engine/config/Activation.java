package io.topv.engine.config;

import java.util.Optional;

/** The pointwise functions between two linear maps, by the names that transformers gives them. */
public enum Activation {
  /** x * Phi(x), exact (erf). */
  GELU,
  /** The tanh approximation of GELU. */
  GELU_TANH,
  /** x * sigmoid(1.702 x). */
  QUICK_GELU;

  static Activation parse(JsonObject json, String field, Activation fallback) {
    Optional<String> name = json.text(field);
    if (name.isEmpty()) {
      return fallback;
    }
    return switch (name.get()) {
      case "gelu" -> GELU;
      case "gelu_new", "gelu_pytorch_tanh" -> GELU_TANH;
      case "quick_gelu" -> QUICK_GELU;
      default ->
          throw json.refused(
              field,
              "is not supported; supported: gelu, gelu_new, gelu_pytorch_tanh, quick_gelu");
    };
  }
}
