package io.topv.engine.config;

import io.topv.runtime.Activation;
import java.util.Optional;

/** The pointwise functions between two linear maps, by the names that transformers gives them. */
final class Activations {
  private Activations() {}

  static Activation parse(JsonObject json, String field, Activation fallback) {
    Optional<String> name = json.text(field);
    if (name.isEmpty()) {
      return fallback;
    }
    return switch (name.get()) {
      case "gelu" -> Activation.GELU;
      case "gelu_new", "gelu_pytorch_tanh" -> Activation.GELU_TANH;
      case "quick_gelu" -> Activation.QUICK_GELU;
      default ->
          throw json.refused(
              field, "is not supported; supported: gelu, gelu_new, gelu_pytorch_tanh, quick_gelu");
    };
  }
}
