package io.topv.engine.sample;

import java.util.Map;

/**
 * What makes tokens that have been seen less likely, in the terms of {@code topv_penalize}.
 *
 * @param repetition divides positive logits and multiplies others; 1 = none
 * @param presence subtracted where the answer has the token
 * @param frequency subtracted for each time that it has
 * @param times how often the answer has each token that is concerned; 0 = only the prompt has it
 */
public record Penalty(
    float repetition, float presence, float frequency, Map<Integer, Integer> times) {
  static final Penalty NONE = new Penalty(1, 0, 0, Map.of());

  /** The same as the device's, to the bit. */
  void apply(float[] logits) {
    times.forEach(
        (id, count) -> {
          if (id >= 0 && id < logits.length) {
            logits[id] = apply(logits[id], count);
          }
        });
  }

  private float apply(float logit, int count) {
    float repeated = logit > 0 ? logit / repetition : logit * repetition;
    return count > 0 ? Math.fma(-frequency, count, repeated - presence) : repeated;
  }
}
