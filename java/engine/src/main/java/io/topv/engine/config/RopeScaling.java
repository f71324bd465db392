package io.topv.engine.config;

import java.util.Optional;

/**
 * How the frequencies f_i = theta^(-2i/D) of the rotary embedding are stretched for contexts beyond
 * the trained one (transformers 5.18, modeling_rope_utils.py).
 */
public sealed interface RopeScaling {

  /** f_i as they are. */
  record Default() implements RopeScaling {}

  /** f_i / factor. */
  record Linear(double factor) implements RopeScaling {}

  /**
   * LLaMA 3.1: with wave length w = 2 pi / f_i and P = originalMaxPositions, f_i where w < P /
   * highFreqFactor, f_i / factor where w > P / lowFreqFactor, and between the two (1 - s) f_i /
   * factor + s f_i with s = (P / w - lowFreqFactor) / (highFreqFactor - lowFreqFactor).
   */
  record Llama3(
      double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositions)
      implements RopeScaling {}

  double MAX_FACTOR = 1e6;

  /** {@code rope} is the rope_parameters (newer) or rope_scaling (older) object of {@code text}. */
  static RopeScaling parse(JsonObject text, Optional<JsonObject> rope, int maxPositions) {
    if (rope.isEmpty()) {
      return new Default();
    }
    JsonObject json = rope.get();
    String field = json.has("rope_type") ? "rope_type" : "type";
    String type = json.text(field).orElse("default");
    return switch (type) {
      case "default" -> new Default();
      case "linear" -> new Linear(factor(json, "factor"));
      case "llama3" -> {
        double low = factor(json, "low_freq_factor");
        double high = factor(json, "high_freq_factor");
        if (high <= low) {
          throw json.expected("high_freq_factor", "more than low_freq_factor = " + low);
        }
        String original = "original_max_position_embeddings";
        int positions =
            text.integer(original, 1, TextConfig.MAX_SIZE)
                .orElse(json.integer(original, maxPositions, 1, TextConfig.MAX_SIZE));
        yield new Llama3(factor(json, "factor"), low, high, positions);
      }
      default -> throw json.refused(field, "is not supported; supported: default, linear, llama3");
    };
  }

  private static double factor(JsonObject json, String field) {
    if (!json.has(field)) {
      throw json.expected(field, "a number");
    }
    return json.number(field, 1, 1e-3, MAX_FACTOR);
  }
}
