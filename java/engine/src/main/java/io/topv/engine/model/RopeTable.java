package io.topv.engine.model;

import io.topv.engine.config.RopeScaling;
import io.topv.engine.config.TextConfig;

/** Cosines and sines of the rotary embedding, as {@code topv_rope} reads them. */
final class RopeTable {
  private RopeTable() {}

  /** [positions, D]: D/2 cosines, then D/2 sines per position. */
  static float[] build(TextConfig config, int positions) {
    int half = config.headDim() / 2;
    float[] frequencies = frequencies(config);
    float[] table = new float[Math.multiplyExact(positions, config.headDim())];
    for (int p = 0; p < positions; p++) {
      for (int i = 0; i < half; i++) {
        // transformers multiplies in float32; a double product would differ at large positions
        float angle = p * frequencies[i];
        table[p * 2 * half + i] = (float) Math.cos(angle);
        table[p * 2 * half + half + i] = (float) Math.sin(angle);
      }
    }
    return table;
  }

  private static float[] frequencies(TextConfig config) {
    float[] frequencies = new float[config.headDim() / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float exponent = 2f * i / config.headDim();
      float f = 1f / (float) Math.pow(config.ropeTheta(), exponent);
      frequencies[i] = scale(f, config.ropeScaling());
    }
    return frequencies;
  }

  private static float scale(float f, RopeScaling scaling) {
    if (scaling instanceof RopeScaling.Linear linear) {
      return (float) (f / linear.factor());
    }
    if (scaling instanceof RopeScaling.Llama3 llama3) {
      double wavelength = 2 * Math.PI / f;
      double original = llama3.originalMaxPositions();
      if (wavelength < original / llama3.highFreqFactor()) {
        return f;
      }
      if (wavelength > original / llama3.lowFreqFactor()) {
        return (float) (f / llama3.factor());
      }
      double smooth =
          (original / wavelength - llama3.lowFreqFactor())
              / (llama3.highFreqFactor() - llama3.lowFreqFactor());
      return (float) ((1 - smooth) * f / llama3.factor() + smooth * f);
    }
    return f;
  }
}
