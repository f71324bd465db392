package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.runtime.Context;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tests that carry the tag every-device ran where they were sent. */
@Tag("every-device")
final class DeviceTest {
  @Test
  void runsOnTheDeviceThatWasAskedFor() {
    try (Context context = TestModel.device(1)) {
      JsonNode about = new JsonMapper().readTree(context.describe());
      boolean cpu = TestModel.BACKEND.equals("cpu");
      assertThat(about.get("backend").asString()).isEqualTo(cpu ? "cpu" : "cuda");
      assertThat(about.get("device").asString().startsWith("emulated"))
          .isEqualTo(TestModel.BACKEND.equals("simt"));
      assertThat(context.isGpu()).isEqualTo(!cpu);
    }
  }
}
