package io.topv.engine.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Solver;
import io.topv.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class TopvPruningTest {
  private static final int LARGEST = 600;

  private static TopvSettings settings(int recoverEvery) {
    return new TopvSettings(
        2, recoverEvery, Solver.ONE_SIDED, 3, 1, 1, 0.01f, 10, 0.1f, 1, false, Policy.DEFAULT);
  }

  private static TopvPruning keep(int recoverEvery, int total) {
    return new TopvPruning(settings(recoverEvery), new Budget.Keep(total), OptionalInt.empty());
  }

  private static VisualSpan line(int tokens) {
    return new VisualSpan(0, tokens, 1);
  }

  /** What stays when {@code top} go by importance, counted one by one. */
  private static int total(int n, int top, int recoverEvery) {
    int total = top;
    for (int i = 0; i < n - top; i++) {
      total += recoverEvery > 0 && i % recoverEvery == 0 ? 1 : 0;
    }
    return total;
  }

  @Test
  void everyTotalIsMet() {
    for (int recoverEvery = 0; recoverEvery <= 8; recoverEvery++) {
      for (int n = 1; n <= LARGEST; n++) {
        for (int total = 1; total <= n; total++) {
          TopvPruning pruning = keep(recoverEvery, total);
          assertThat(pruning.kept(line(n))).isEqualTo(total);
          assertThat(total(n, pruning.byImportance(n), pruning.recoverEvery(n))).isEqualTo(total);
        }
      }
    }
  }

  /**
   * The rule word by word: the first number from the asked one on that leaves half of the total.
   */
  @Test
  void recoveryIsRarerOnlyWhereItWouldTakeMoreThanHalf() {
    for (int asked = 1; asked <= 8; asked++) {
      for (int n = 1; n <= 150; n++) {
        for (int total = 2; total <= n; total++) {
          int half = total - total / 2;
          int every = asked;
          while (total(n, half, every) > total) {
            every++;
          }
          assertThat(keep(asked, total).recoverEvery(n))
              .as("%d of %d, every %d", total, n, asked)
              .isEqualTo(every);
          assertThat(keep(asked, total).byImportance(n))
              .isGreaterThanOrEqualTo(every == 1 ? 0 : half - 1);
        }
        assertThat(keep(asked, 1).recoverEvery(n)).as("one token is the most important").isZero();
      }
    }
  }

  @Test
  void recoveryAtTheBorder() {
    assertThat(keep(4, 231).recoverEvery(576)).isEqualTo(4); // 116, and every 4th of 460 are 115
    assertThat(keep(4, 230).recoverEvery(576)).isEqualTo(5);
    assertThat(keep(4, 64).recoverEvery(576)).isEqualTo(17);
    assertThat(keep(4, 64).byImportance(576)).isBetween(31, 32);
    assertThat(keep(4, 1).byImportance(576)).isEqualTo(1);
    assertThat(keep(4, 576).recoverEvery(576)).isEqualTo(4);
    assertThat(keep(4, 576).byImportance(576)).isEqualTo(575);
    assertThat(keep(0, 64).recoverEvery(576)).isZero();
    TopvPruning counted = new TopvPruning(settings(4), new Budget.Keep(64), OptionalInt.of(10));
    assertThat(counted.recoverEvery(576)).as("a count by importance has no total").isEqualTo(4);
  }

  @Test
  void aCountByImportanceIsBeforeRecovery() {
    for (int recoverEvery = 0; recoverEvery <= 8; recoverEvery++) {
      for (int n = 1; n <= LARGEST; n++) {
        for (int top = recoverEvery == 0 ? 1 : 0; top <= n; top += 1 + n / 40) {
          TopvPruning pruning =
              new TopvPruning(settings(recoverEvery), new Budget.Rate(0.5), OptionalInt.of(top));
          assertThat(pruning.kept(line(n))).isEqualTo(total(n, top, recoverEvery));
        }
      }
    }
  }

  @Test
  void publishedSettingsOfLlava() {
    assertThat(
            new TopvPruning(settings(4), new Budget.Rate(0.5), OptionalInt.of(288)).kept(line(576)))
        .isEqualTo(360);
    assertThat(
            new TopvPruning(settings(6), new Budget.Rate(0.5), OptionalInt.of(202)).kept(line(576)))
        .isEqualTo(265);
  }

  @Test
  void aRateThatLeavesNothingIsTooFewAndNoError() {
    for (int recoverEvery = 0; recoverEvery <= 8; recoverEvery++) {
      TopvPruning pruning =
          new TopvPruning(settings(recoverEvery), new Budget.Rate(0.9), OptionalInt.empty());
      assertThat(pruning.kept(line(1))).isZero();
      assertThat(pruning.kept(line(4))).isZero();
    }
  }

  @Test
  void countsThatCannotBeAreRefused() {
    for (int top : new int[] {-1, 10, Integer.MAX_VALUE}) {
      TopvPruning pruning = new TopvPruning(settings(3), new Budget.Rate(0.5), OptionalInt.of(top));
      assertThatThrownBy(() -> pruning.kept(line(9)))
          .isInstanceOf(TopvException.class)
          .hasMessage("topv-top = " + top + " is not in 0 .. 9, the image's visual tokens");
    }
    assertThatThrownBy(() -> new TopvPruning(settings(0), new Budget.Rate(0.5), OptionalInt.of(0)))
        .isInstanceOf(TopvException.class)
        .hasMessage("topv-top = 0 with topv-recover-every = 0 keeps no visual token");
  }

  @Test
  void onlyRateZeroWithoutACountIsInactive() {
    assertThat(new TopvPruning(settings(4), new Budget.Rate(0), OptionalInt.empty()).inactive())
        .isEqualTo("rate 0 removes nothing");
    assertThat(new TopvPruning(settings(4), new Budget.Rate(0), OptionalInt.of(3)).inactive())
        .isEmpty();
    assertThat(keep(4, 9).inactive()).isEmpty();
  }

  @Test
  void keysDifferWhereverASettingDoes() {
    List<TopvPruning> all = new ArrayList<>();
    for (int recoverEvery : new int[] {0, 4}) {
      for (OptionalInt top : List.of(OptionalInt.empty(), OptionalInt.of(5))) {
        for (Budget budget : List.of(new Budget.Keep(7), new Budget.Rate(0.25))) {
          all.add(new TopvPruning(settings(recoverEvery), budget, top));
        }
      }
    }
    assertThat(all.stream().map(TopvPruning::key)).doesNotHaveDuplicates();
  }

  /** Random features of random images: counts, order and the rule of selection hold. */
  @ParameterizedTest
  @EnumSource
  void keepsTheMostImportantAndEveryFewOfTheOthers(Solver solver) {
    Random random = new Random(solver.ordinal());
    try (Context context = Context.open(ContextOptions.cpu(2))) {
      for (int round = 0; round < 60; round++) {
        int recoverEvery = random.nextInt(6);
        // as printed, the solver leaves float32 on small images with a smaller epsilon
        float epsilon = solver == Solver.PRINTED ? 1 : 0.1f;
        TopvSettings settings =
            new TopvSettings(
                2,
                recoverEvery,
                solver,
                3,
                1,
                1,
                0.01f,
                10,
                epsilon,
                1,
                random.nextBoolean(),
                Policy.DEFAULT);
        List<VisualSpan> spans = new ArrayList<>();
        int rows = 0;
        int fewest = Integer.MAX_VALUE;
        for (int image = 1 + random.nextInt(3); image > 0; image--) {
          rows += random.nextInt(4);
          VisualSpan span = new VisualSpan(rows, 1 + random.nextInt(9), 1 + random.nextInt(9));
          spans.add(span);
          rows += span.tokens();
          fewest = Math.min(fewest, span.tokens());
        }
        int top = (recoverEvery == 0 ? 1 : 0) + random.nextInt(fewest);
        TopvPruning pruning =
            random.nextBoolean()
                ? new TopvPruning(settings, new Budget.Rate(0.5), OptionalInt.of(top))
                : new TopvPruning(
                    settings, new Budget.Keep(1 + random.nextInt(fewest)), OptionalInt.empty());
        List<Selection> selections = select(context, pruning, spans, rows + 2, random);
        assertThat(selections).hasSameSizeAs(spans);
        for (int i = 0; i < spans.size(); i++) {
          int n = spans.get(i).tokens();
          assertThat(selections.get(i).kept()).hasSize(pruning.kept(spans.get(i)));
          assertThat(selections.get(i).kept())
              .isEqualTo(
                  expected(
                      selections.get(i).importance(),
                      pruning.byImportance(n),
                      pruning.recoverEvery(n)));
        }
      }
    }
  }

  private static List<Selection> select(
      Context context, TopvPruning pruning, List<VisualSpan> spans, int rows, Random random) {
    int c = 8 * (1 + random.nextInt(6)) + random.nextInt(3);
    List<DeviceBuffer> scratch = new ArrayList<>();
    try (DeviceBuffer source = context.allocate(DType.F32, rows, c);
        DeviceBuffer target = context.allocate(DType.F32, rows, c)) {
      LayerState state =
          new LayerState(
              context,
              (name, dtype, height, width) -> {
                scratch.add(context.allocate(dtype, height, width));
                return scratch.get(scratch.size() - 1).tensor(dtype, height, width);
              },
              features(source, rows, c, random),
              features(target, rows, c, random));
      return pruning.select(state, spans).read(pruning, spans);
    } finally {
      scratch.forEach(DeviceBuffer::close);
    }
  }

  private static Tensor features(DeviceBuffer buffer, int rows, int c, Random random) {
    float[] values = new float[rows * c];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return buffer.tensor(DType.F32, rows, c).put(values);
  }

  private static int[] expected(float[] importance, int top, int recoverEvery) {
    for (float value : importance) {
      assertThat(value).isFinite().isNotNegative();
    }
    List<Integer> order =
        IntStream.range(0, importance.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -importance[i]))
            .toList();
    int[] others = order.stream().skip(top).mapToInt(i -> i).sorted().toArray();
    IntStream recovered =
        recoverEvery == 0
            ? IntStream.empty()
            : IntStream.range(0, others.length)
                .filter(i -> i % recoverEvery == 0)
                .map(i -> others[i]);
    int[] byImportance = order.stream().limit(top).mapToInt(i -> i).toArray();
    return IntStream.concat(Arrays.stream(byImportance), recovered).sorted().toArray();
  }
}
