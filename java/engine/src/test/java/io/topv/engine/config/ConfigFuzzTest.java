package io.topv.engine.config;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.topv.engine.TopvException;

/** Whatever the bytes: a configuration that holds together, or a TopvException of one line. */
final class ConfigFuzzTest {
  @FuzzTest(maxDuration = "30s")
  void config(byte[] json) {
    ModelConfig config;
    try {
      config = ModelConfig.parse("fuzz", json);
    } catch (TopvException e) {
      requireOneLine(e);
      return;
    }
    TextConfig text = config.text();
    if (text.heads() % text.kvHeads() != 0 || text.headDim() % 8 != 0 || text.headDim() < 8) {
      throw new AssertionError(text.toString());
    }
    if (config instanceof LlavaConfig llava
        && (llava.visualTokens() < 1 || llava.visionLayersNeeded() > llava.vision().layers())) {
      throw new AssertionError(llava.toString());
    }
  }

  @FuzzTest(maxDuration = "10s")
  void generation(byte[] json) {
    try {
      GenerationConfig.parse("fuzz", json);
    } catch (TopvException e) {
      requireOneLine(e);
    }
  }

  private static void requireOneLine(TopvException e) {
    if (e.getMessage().lines().count() != 1) {
      throw new AssertionError("not one line: " + e.getMessage());
    }
  }
}
