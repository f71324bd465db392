package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.prune.Budget;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.RandomPruning;
import io.topv.engine.prune.Selection;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import io.topv.runtime.DType;
import io.topv.runtime.Solver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Pruning that keeps every token goes the whole way of pruning and changes no bit. */
@Tag("every-isa")
@Tag("every-device")
@Tag("long-when-emulated")
final class KeepAllTest {

  static Stream<Arguments> cases() {
    return GoldenCase.models().stream()
        .flatMap(model -> GoldenCase.of(model).stream())
        .filter(golden -> !golden.spans().isEmpty())
        .flatMap(
            golden -> Stream.of(DType.F32, DType.BF16).map(dtype -> Arguments.of(golden, dtype)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void equalsNoPruningBitForBit(GoldenCase golden, DType dtype) {
    TestModel.Sizes sizes = TestModel.Sizes.USUAL.splitAfter(1);
    try (TestModel test = TestModel.open(golden.model(), dtype, 2, sizes)) {
      List<ImageFeatures> images = test.encode(golden.pixels());
      SequenceState whole =
          test.sequence(golden.prompt(), golden.spans(), images, new NoPruning(1));
      float[] logits = test.prefill(whole).get(0);
      int[] tokens = test.greedy(whole, logits, 24);
      for (PruningMethod method : methods(golden.spans().get(0).tokens())) {
        SequenceState sequence = test.sequence(golden.prompt(), golden.spans(), images, method);
        assertThat(test.prefill(sequence).get(0)).as(method.key()).isEqualTo(logits);
        for (Selection selection : sequence.selections()) {
          assertThat(selection.kept()).isEqualTo(range(golden.spans().get(0).tokens()));
        }
        assertThat(sequence.selections()).hasSameSizeAs(golden.spans());
        assertThat(test.greedy(sequence, logits, 24)).as(method.key()).isEqualTo(tokens);
        sequence.release();
      }
    }
  }

  private static List<PruningMethod> methods(int tokens) {
    List<PruningMethod> methods = new ArrayList<>();
    Budget all = new Budget.Keep(tokens);
    for (Policy.Positions positions : Policy.Positions.values()) {
      for (Policy.EarlyKv earlyKv : Policy.EarlyKv.values()) {
        Policy policy = new Policy(positions, earlyKv);
        methods.add(new RandomPruning(1, all, 5, policy));
        for (Solver solver : Solver.values()) {
          methods.add(new TopvPruning(settings(solver, 0, policy), all, OptionalInt.empty()));
        }
        TopvSettings recovering = settings(Solver.ONE_SIDED, 4, policy);
        methods.add(new TopvPruning(recovering, all, OptionalInt.empty()));
        methods.add(new TopvPruning(recovering, new Budget.Keep(1), OptionalInt.of(tokens)));
      }
    }
    return methods;
  }

  private static TopvSettings settings(Solver solver, int recoverEvery, Policy policy) {
    return new TopvSettings(1, recoverEvery, solver, 3, 1, 1, 0.01f, 10, 0.1f, 1, false, policy);
  }

  private static int[] range(int count) {
    int[] range = new int[count];
    Arrays.setAll(range, i -> i);
    return range;
  }
}
