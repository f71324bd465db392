package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.prune.NoPruning;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every stage of every golden model equals what transformers computes. */
@Tag("every-isa")
final class GoldenModelTest {
  /**
   * Both sides sum in float32 but in another order. A sum of k terms differs by about sqrt(k) 2^-24
   * of its size; k is at most 108 here and the differences of at most 5 layers of 4 products add
   * up, which gives some 1e-6 (measured: 2e-6). The rest is room for cancellation in the residual
   * stream.
   */
  private static final double F32_RELATIVE = 2e-5;

  private static final double BF16_COSINE = 0.999;

  private static final JsonMapper JSON = new JsonMapper();
  private static final MeasuredErrors MEASURED = new MeasuredErrors("golden-models");

  @AfterAll
  static void writeErrors() {
    MEASURED.write();
  }

  @TestFactory
  @Tag("every-device")
  Stream<DynamicTest> float32OnOneThread() {
    return each(golden -> float32(golden, 1));
  }

  @TestFactory
  Stream<DynamicTest> float32OnTwoThreads() {
    return each(golden -> float32(golden, 2));
  }

  @TestFactory
  @Tag("every-device")
  Stream<DynamicTest> bfloat16() {
    return each(golden -> bfloat16(golden));
  }

  @TestFactory
  Stream<DynamicTest> threadsChangeNothing() {
    return each(
        golden -> {
          Map<String, float[]> one = stages(golden, DType.F32, 1);
          stages(golden, DType.F32, 2)
              .forEach((stage, values) -> assertThat(values).as(stage).isEqualTo(one.get(stage)));
        });
  }

  @ParameterizedTest
  @Tag("every-device")
  @ValueSource(ints = {14, 28, 70})
  void imagesOfOtherSizesGetInterpolatedPositions(int side) {
    Path directory = GoldenCase.GOLDEN.resolve("llava-mha");
    Map<String, float[]> golden = GoldenCase.tensors(directory.resolve("resized.safetensors"));
    try (TestModel test = TestModel.open(directory, DType.F32, 2)) {
      List<float[]> pixels = List.of(golden.get(side + "/pixel_values"));
      try (ImageFeatures features = test.model().encode(pixels, side).get(0)) {
        assertThat(features.width()).isEqualTo(side / 14);
        assertThat(features.height()).isEqualTo(side / 14);
        double error =
            Closeness.relative(features.tokens().toFloats(), golden.get(side + "/image_features"));
        MEASURED.largest("float32 resized image_features", error);
        assertThat(error).isLessThanOrEqualTo(F32_RELATIVE);
      }
    }
  }

  @Test
  void runsOnTheInstructionSetThatWasAskedFor() {
    try (Context context = TestModel.device(1)) {
      JsonNode description = JSON.readTree(context.describe());
      String best = description.get("best_isa").asString();
      assertThat(description.get("isa").asString()).isEqualTo(TestModel.ISA.orElse(best));
    }
  }

  private interface Check {
    void run(GoldenCase golden);
  }

  private static Stream<DynamicTest> each(Check check) {
    return GoldenCase.models().stream()
        .flatMap(model -> GoldenCase.of(model).stream())
        .map(
            golden ->
                DynamicTest.dynamicTest(
                    golden.model().getFileName() + " " + golden.name(), () -> check.run(golden)));
  }

  private static void float32(GoldenCase golden, int threads) {
    Map<String, float[]> expected = golden.tensors("float32");
    Map<String, float[]> stages = stages(golden, DType.F32, threads);
    assertSameStages(stages.keySet(), expected.keySet());
    stages.forEach(
        (stage, values) -> {
          double error = Closeness.relative(values, expected.get(stage));
          MEASURED.largest("float32 " + kind(stage), error);
          assertThat(error).as(stage).isLessThanOrEqualTo(F32_RELATIVE);
        });
    assertThat(stages.get("pixel_values")).isEqualTo(expected.get("pixel_values"));
    try (TestModel model = TestModel.open(golden.model(), DType.F32, threads)) {
      SequenceState sequence = model.sequence(golden, new NoPruning(2));
      float[] logits = model.prefill(sequence).get(0);
      assertThat(model.greedy(sequence, logits, 64))
          .containsExactly(GoldenCase.ints(golden.meta().get("greedy").get("float32")));
    }
  }

  private static void bfloat16(GoldenCase golden) {
    Map<String, float[]> exact = golden.tensors("float32");
    Map<String, float[]> rounded = golden.tensors("bfloat16");
    Map<String, float[]> stages = stages(golden, DType.BF16, 2);
    assertSameStages(stages.keySet(), exact.keySet());
    stages.remove("pixel_values");
    stages.forEach(
        (stage, values) -> {
          double toExact = Closeness.cosine(values, exact.get(stage));
          double toRounded = Closeness.cosine(values, rounded.get(stage));
          MEASURED.largest("bfloat16 1-cos to float32 " + kind(stage), 1 - toExact);
          MEASURED.largest("bfloat16 1-cos to bfloat16 " + kind(stage), 1 - toRounded);
          assertThat(toExact).as(stage + " to float32").isGreaterThanOrEqualTo(BF16_COSINE);
          assertThat(toRounded).as(stage + " to bfloat16").isGreaterThanOrEqualTo(BF16_COSINE);
        });
  }

  private static String kind(String stage) {
    return stage.startsWith("layer.") ? "layer" : stage;
  }

  private static void assertSameStages(Set<String> actual, Set<String> golden) {
    assertThat(actual).containsExactlyInAnyOrderElementsOf(golden);
  }

  /** All that the engine computes up to the logits of every position, by its golden name. */
  private static Map<String, float[]> stages(GoldenCase golden, DType dtype, int threads) {
    Map<String, float[]> stages = new LinkedHashMap<>();
    try (TestModel test = TestModel.open(golden.model(), dtype, threads)) {
      LlavaModel model = test.model();
      List<float[]> pixels = golden.pixels();
      if (!pixels.isEmpty()) {
        stages.put("pixel_values", join(pixels));
        stages.put("vision_features", model.visionFeatures(pixels, test.side()).toFloats());
      }
      List<ImageFeatures> features = test.encode(pixels);
      if (!pixels.isEmpty()) {
        stages.put(
            "image_features", join(features.stream().map(f -> f.tokens().toFloats()).toList()));
      }
      int last = model.config().text().layers();
      model.setProbe(
          (layer, hidden) -> {
            stages.put(layer == 0 ? "embeddings" : "layer." + (layer - 1), hidden.toFloats());
            if (layer == last) {
              stages.put("logits", model.logitsOfAll(hidden).toFloats());
            }
          });
      test.prefill(test.sequence(golden.prompt(), golden.spans(), features));
    }
    return stages;
  }

  private static float[] join(List<float[]> parts) {
    float[] whole = new float[parts.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, whole, at, part.length);
      at += part.length;
    }
    return whole;
  }
}
