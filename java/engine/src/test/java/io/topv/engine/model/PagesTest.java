package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.prune.Budget;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.RandomPruning;
import io.topv.runtime.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Pages are taken as needed, given back, and may be any. */
final class PagesTest {
  private static final int PAGES = 60;
  private static final GoldenCase GOLDEN = GoldenCase.of("llava-gqa", "one-image");

  private static TestModel open(int pages) {
    TestModel.Sizes sizes = TestModel.Sizes.USUAL.splitAfter(2).withPages(pages);
    return TestModel.open(GOLDEN.model(), DType.F32, 1, sizes);
  }

  private static PruningMethod keep(int count, Policy.EarlyKv earlyKv) {
    Policy policy = new Policy(Policy.Positions.KEEP, earlyKv);
    return new RandomPruning(2, new Budget.Keep(count), 1, policy);
  }

  @Test
  void pruningShortensTheLayersAbove() {
    int length = GOLDEN.prompt().length;
    int survivors = length - 36 + 10;
    try (TestModel test = open(PAGES)) {
      SequenceState full = test.sequence(GOLDEN, keep(10, Policy.EarlyKv.FULL));
      test.prefill(full);
      assertThat(full.lowerLength()).isEqualTo(length);
      assertThat(full.upperLength()).isEqualTo(survivors);
      SequenceState compact = test.sequence(GOLDEN, keep(10, Policy.EarlyKv.COMPACT));
      test.prefill(compact);
      assertThat(compact.lowerLength()).isEqualTo(survivors);
      assertThat(compact.upperLength()).isEqualTo(survivors);
      assertThat(free(test))
          .containsExactly(PAGES - pages(length) - pages(survivors), PAGES - 2 * pages(survivors));
      full.release();
      compact.release();
      assertThat(free(test)).containsExactly(PAGES, PAGES);
    }
  }

  @Test
  void scatteredPagesChangeNoBit() {
    Random random = new Random(7);
    try (TestModel test = open(PAGES)) {
      List<ImageFeatures> images = test.encode(GOLDEN.pixels());
      for (Policy.EarlyKv earlyKv : Policy.EarlyKv.values()) {
        List<float[]> expected = null;
        for (int round = 0; round < 6; round++) {
          List<SequenceState> others = new ArrayList<>();
          for (int i = 0; i < 2 + round; i++) {
            SequenceState other = test.sequence(new int[] {1, 5, 6}, List.of(), List.of());
            test.prefill(other);
            for (int t = random.nextInt(12); t > 0; t--) {
              test.decode(List.of(other), 9);
            }
            others.add(other);
          }
          while (others.size() > round % 3) {
            others.remove(random.nextInt(others.size())).release();
          }
          SequenceState sequence =
              test.sequence(GOLDEN.prompt(), GOLDEN.spans(), images, keep(17, earlyKv));
          List<float[]> logits = new ArrayList<>(test.prefill(sequence));
          for (int t = 0; t < 10; t++) {
            logits.addAll(test.decode(List.of(sequence), 8 + t));
          }
          expected = expected == null ? logits : expected;
          for (int t = 0; t < logits.size(); t++) {
            assertThat(logits.get(t)).as("round " + round).isEqualTo(expected.get(t));
          }
          sequence.release();
          others.forEach(SequenceState::release);
          assertThat(free(test)).containsExactly(PAGES, PAGES);
        }
      }
    }
  }

  @Test
  void aPromptThatDoesNotFitIsRefusedAndLeavesNothingBehind() {
    int needed = pages(GOLDEN.prompt().length);
    try (TestModel test = open(needed - 1)) {
      SequenceState sequence = test.sequence(GOLDEN, new NoPruning(2));
      assertThat(sequence.canHold(GOLDEN.prompt().length)).isFalse();
      assertThatThrownBy(() -> test.prefill(sequence))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("KV cache: %d pages needed, %d left".formatted(needed, needed - 1));
      sequence.release();
      assertThat(free(test)).containsExactly(needed - 1, needed - 1);
    }
  }

  @Test
  void decodingBeyondTheLastPageIsRefusedAndSaidBefore() {
    int pages = pages(GOLDEN.prompt().length);
    int room = pages * 7 - GOLDEN.prompt().length;
    try (TestModel test = open(pages)) {
      SequenceState sequence = test.sequence(GOLDEN, new NoPruning(2));
      assertThat(sequence.canHold(GOLDEN.prompt().length)).isTrue();
      test.prefill(sequence);
      for (int i = 0; i < room; i++) {
        assertThat(sequence.canHold(1)).isTrue();
        test.decode(List.of(sequence), 9);
      }
      assertThat(sequence.canHold(1)).isFalse();
      assertThatThrownBy(() -> test.decode(List.of(sequence), 9))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("KV cache: 1 pages needed, 0 left");
      sequence.release();
      assertThat(free(test)).containsExactly(pages, pages);
    }
  }

  private static int pages(int tokens) {
    return (tokens + 6) / 7;
  }

  private static List<Integer> free(TestModel test) {
    return List.of(test.model().cache().freeLowerPages(), test.model().cache().freeUpperPages());
  }
}
