package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.prune.Budget;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.RandomPruning;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import io.topv.runtime.DType;
import io.topv.runtime.Solver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sequences that share steps do not see each other. */
@Tag("every-isa")
@Tag("every-device")
final class BatchTest {
  /**
   * oneDNN's kernel depends on the number of rows, and with it the order of sums; measured 2e-6.
   */
  private static final double F32_RELATIVE = 1e-5;

  /** Where such a difference tips a rounding, an element of a stream moves by 2^-8 of itself. */
  private static final double BF16_RELATIVE = 0x1p-7;

  private static final int STEPS = 12;

  /** A prompt and how it is pruned. */
  private record Member(GoldenCase golden, int length, PruningMethod method) {}

  private static List<Member> members() {
    GoldenCase one = GoldenCase.of("llava-mha", "one-image");
    GoldenCase two = GoldenCase.of("llava-mha", "two-images");
    GoldenCase none = GoldenCase.of("llava-mha", "no-image");
    return List.of(
        new Member(none, none.prompt().length, new NoPruning(1)),
        new Member(one, one.prompt().length, topv(4, Policy.DEFAULT)),
        new Member(two, two.prompt().length - 3, compactRandom()),
        new Member(one, one.prompt().length - 7, new NoPruning(1)),
        new Member(none, 1, new NoPruning(1)),
        new Member(
            two,
            two.prompt().length,
            topv(0, new Policy(Policy.Positions.KEEP, Policy.EarlyKv.COMPACT))));
  }

  private static PruningMethod topv(int recoverEvery, Policy policy) {
    TopvSettings settings =
        new TopvSettings(
            1, recoverEvery, Solver.ONE_SIDED, 3, 1, 1, 0.01f, 10, 0.1f, 1, false, policy);
    return new TopvPruning(settings, new Budget.Keep(6), OptionalInt.empty());
  }

  private static PruningMethod compactRandom() {
    Policy policy = new Policy(Policy.Positions.COMPACT, Policy.EarlyKv.COMPACT);
    return new RandomPruning(1, new Budget.Rate(0.7), 3, policy);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void eachSequenceGetsWhatItGetsAlone(DType dtype) {
    TestModel.Sizes sizes = TestModel.Sizes.USUAL.splitAfter(1);
    try (TestModel test = TestModel.open(GoldenCase.GOLDEN.resolve("llava-mha"), dtype, 2, sizes)) {
      List<Member> members = members();
      List<List<float[]>> alone = members.stream().map(member -> alone(test, member)).toList();
      SequenceState[] batch =
          members.stream().map(member -> sequence(test, member)).toArray(SequenceState[]::new);
      assertClose(dtype, 0, test.prefill(batch), alone);
      for (int i = 1; i < STEPS; i++) {
        int[] tokens = new int[batch.length];
        Arrays.fill(tokens, token(i));
        assertClose(dtype, i, test.decode(List.of(batch), tokens), alone);
      }
      for (int b = 0; b < batch.length; b++) {
        assertThat(batch[b].selections())
            .hasSize(
                members.get(b).method() instanceof NoPruning
                    ? 0
                    : members.get(b).golden().spans().size());
      }
    }
  }

  private static List<float[]> alone(TestModel test, Member member) {
    SequenceState sequence = sequence(test, member);
    List<float[]> logits = new ArrayList<>(test.prefill(sequence));
    for (int i = 1; i < STEPS; i++) {
      logits.addAll(test.decode(List.of(sequence), token(i)));
    }
    sequence.release();
    return logits;
  }

  private static SequenceState sequence(TestModel test, Member member) {
    int[] prompt = Arrays.copyOf(member.golden().prompt(), member.length());
    List<ImageFeatures> images = test.encode(member.golden().pixels());
    return test.sequence(prompt, member.golden().spans(), images, member.method());
  }

  private static int token(int step) {
    return 6 + 5 * step;
  }

  private static void assertClose(
      DType dtype, int step, List<float[]> batch, List<List<float[]>> alone) {
    for (int b = 0; b < batch.size(); b++) {
      float[] expected = alone.get(b).get(step);
      double error = Closeness.relative(batch.get(b), expected);
      assertThat(error)
          .as("sequence " + b + " step " + step)
          .isLessThanOrEqualTo(dtype == DType.F32 ? F32_RELATIVE : BF16_RELATIVE);
    }
  }
}
