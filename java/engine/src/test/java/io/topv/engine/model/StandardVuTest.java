package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.prune.Budget;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.Selection;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import io.topv.engine.prune.VisualSpan;
import io.topv.runtime.DType;
import io.topv.runtime.Solver;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Textbook Sinkhorn that ends with u makes the importance the norm of the token, whatever the cost:
 * the control must not be taken for TopV.
 */
final class StandardVuTest {
  private static final GoldenCase GOLDEN = GoldenCase.of("llava-mha", "two-images");
  private static final float[][] COSTS = {
    // alpha, beta, gamma, sigma, epsilon
    {1, 1, 0.01f, 10, 0.1f}, {0, 0, 0, 10, 0.1f}, {5, 0, 0, 1, 1}, {0, 3, 0.5f, 0.5f, 0.3f}
  };

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 20})
  void importanceIsTheScaledNormWhateverTheCost(int iterations) {
    try (TestModel test = open()) {
      List<float[]> norms = norms(test);
      for (float[] cost : COSTS) {
        List<Selection> selections = select(test, Solver.STANDARD_VU, iterations, cost);
        for (int image = 0; image < norms.size(); image++) {
          double error = Closeness.relative(selections.get(image).importance(), norms.get(image));
          assertThat(error).isLessThanOrEqualTo(1e-5);
        }
      }
    }
  }

  /** The other solvers see the cost, or the control would prove nothing. */
  @Test
  void theOtherSolversSeeTheCost() {
    try (TestModel test = open()) {
      List<float[]> norms = norms(test);
      for (Solver solver : Solver.values()) {
        float[] importance = select(test, solver, 3, COSTS[0]).get(0).importance();
        float[] otherwise = select(test, solver, 3, COSTS[3]).get(0).importance();
        boolean control = solver == Solver.STANDARD_VU;
        assertThat(Closeness.relative(importance, otherwise) < 1e-5)
            .as(solver.name())
            .isEqualTo(control);
        assertThat(Closeness.relative(importance, norms.get(0)) < 1e-5)
            .as(solver.name())
            .isEqualTo(control);
      }
    }
  }

  private static TestModel open() {
    TestModel.Sizes sizes = TestModel.Sizes.USUAL.splitAfter(2);
    return TestModel.open(GOLDEN.model(), DType.F32, 2, sizes);
  }

  private static List<Selection> select(
      TestModel test, Solver solver, int iterations, float[] cost) {
    TopvSettings settings =
        new TopvSettings(
            2,
            0,
            solver,
            iterations,
            cost[0],
            cost[1],
            cost[2],
            cost[3],
            cost[4],
            1,
            false,
            Policy.DEFAULT);
    SequenceState sequence =
        test.sequence(GOLDEN, new TopvPruning(settings, new Budget.Keep(5), OptionalInt.empty()));
    test.prefill(sequence);
    sequence.release();
    return sequence.selections();
  }

  /** Per image |S_i| / sum |S| of the rows that enter layer 2, in double. */
  private static List<float[]> norms(TestModel test) {
    List<float[]> norms = new ArrayList<>();
    int c = test.model().config().text().hiddenSize();
    test.model()
        .setProbe(
            (layer, hidden) -> {
              if (layer == 1 && norms.isEmpty()) {
                float[] rows = hidden.toFloats();
                GOLDEN.spans().forEach(span -> norms.add(norms(rows, span, c)));
              }
            });
    select(test, Solver.ONE_SIDED, 1, COSTS[0]);
    return norms;
  }

  private static float[] norms(float[] rows, VisualSpan span, int c) {
    double[] norms = new double[span.tokens()];
    double sum = 0;
    for (int i = 0; i < norms.length; i++) {
      for (int k = 0; k < c; k++) {
        double x = rows[(span.start() + i) * c + k];
        norms[i] += x * x;
      }
      norms[i] = Math.sqrt(norms[i]);
      sum += norms[i];
    }
    float[] scaled = new float[norms.length];
    for (int i = 0; i < norms.length; i++) {
      scaled[i] = (float) (norms[i] / sum);
    }
    return scaled;
  }
}
