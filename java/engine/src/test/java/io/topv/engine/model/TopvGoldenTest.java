package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.prune.Budget;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.Selection;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import io.topv.runtime.DType;
import io.topv.runtime.Solver;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** TopV inside the engine equals TopV inside transformers' LLaVA in float64. */
@Tag("every-isa")
@Tag("every-device")
public final class TopvGoldenTest {
  /** As {@link GoldenModelTest}'s: float32 here, float64 there; measured 1e-6. */
  private static final double RELATIVE = 2e-5;

  /**
   * exp(-C / epsilon) multiplies the error of a cost by 1 / epsilon = 10 (3 with the other
   * factors), and {@code printed} takes an exponential of u / epsilon again; measured 3e-6.
   */
  private static final double IMPORTANCE_RELATIVE = 2e-5;

  private static final MeasuredErrors MEASURED = new MeasuredErrors("golden-topv");

  @AfterAll
  static void writeErrors() {
    MEASURED.write();
  }

  @TestFactory
  Stream<DynamicTest> cases() {
    Map<String, float[]> tensors =
        GoldenCase.tensors(GoldenCase.GOLDEN.resolve("llava-gqa/topv/topv.safetensors"));
    return GoldenCase.topv().stream()
        .map(golden -> DynamicTest.dynamicTest(golden.name(), () -> equals(golden, tensors)));
  }

  private static void equals(GoldenCase golden, Map<String, float[]> tensors) {
    TopvPruning method = method(golden.meta());
    TestModel.Sizes sizes = TestModel.Sizes.USUAL.splitAfter(method.layer());
    try (TestModel test = TestModel.open(golden.model(), DType.F32, 2, sizes)) {
      int layers = test.model().config().text().layers();
      AtomicReference<float[]> last = new AtomicReference<>();
      test.model()
          .setProbe(
              (layer, hidden) -> {
                if (layer == layers) {
                  last.set(hidden.toFloats());
                }
              });
      SequenceState sequence = test.sequence(golden, method);
      float[] logits = test.prefill(sequence).get(0);
      assertSelected(golden, sequence.selections(), tensors.get(golden.name() + "/importance"));
      close("last_layer", last.get(), tensors.get(golden.name() + "/last_layer"), RELATIVE);
      close("logits", logits, tensors.get(golden.name() + "/logits"), RELATIVE);
      assertThat(test.greedy(sequence, logits, 32))
          .containsExactly(GoldenCase.ints(golden.meta().get("greedy")));
    }
  }

  private static void assertSelected(
      GoldenCase golden, List<Selection> selections, float[] importance) {
    List<int[]> kept = new ArrayList<>();
    golden.meta().get("kept").forEach(image -> kept.add(GoldenCase.ints(image)));
    assertThat(selections).hasSameSizeAs(kept);
    float[] all = new float[importance.length];
    int at = 0;
    for (int i = 0; i < kept.size(); i++) {
      assertThat(selections.get(i).kept()).as("image " + i).containsExactly(kept.get(i));
      float[] one = selections.get(i).importance();
      System.arraycopy(one, 0, all, at, one.length);
      at += one.length;
    }
    assertThat(at).isEqualTo(importance.length);
    close("importance", all, importance, IMPORTANCE_RELATIVE);
  }

  private static void close(String stage, float[] actual, float[] golden, double tolerance) {
    double error = Closeness.relative(actual, golden);
    MEASURED.largest(stage, error);
    assertThat(error).as(stage).isLessThanOrEqualTo(tolerance);
  }

  public static TopvPruning method(JsonNode meta) {
    JsonNode params = meta.get("params");
    TopvSettings settings =
        new TopvSettings(
            meta.get("layer").asInt(),
            meta.get("recover_every").asInt(),
            Solver.valueOf(params.get("solver").asString().toUpperCase(Locale.ROOT)),
            params.get("iterations").asInt(),
            params.get("alpha").floatValue(),
            params.get("beta").floatValue(),
            params.get("gamma").floatValue(),
            params.get("sigma").floatValue(),
            params.get("epsilon").floatValue(),
            params.get("lambda_").floatValue(),
            false,
            new Policy(
                Policy.Positions.valueOf(upper(meta, "positions")),
                Policy.EarlyKv.valueOf(upper(meta, "early_kv"))));
    return new TopvPruning(settings, new Budget.Rate(0.5), OptionalInt.of(meta.get("top").asInt()));
  }

  private static String upper(JsonNode meta, String field) {
    return meta.get(field).asString().toUpperCase(Locale.ROOT);
  }
}
