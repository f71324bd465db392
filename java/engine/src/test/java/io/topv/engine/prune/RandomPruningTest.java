package io.topv.engine.prune;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RandomPruningTest {

  private static int[] draw(int tokens, int count, long seed) {
    return draw(List.of(new VisualSpan(0, tokens, 1)), count, seed);
  }

  /** Packed over the images. */
  private static int[] draw(List<VisualSpan> spans, int count, long seed) {
    return new RandomPruning(2, new Budget.Keep(count), seed, Policy.DEFAULT).draw(spans);
  }

  @Test
  void drawsExactlySoManyDifferentTokensAscending() {
    for (int n = 1; n <= 600; n += n < 40 ? 1 : 37) {
      for (int count = 1; count <= n; count += 1 + n / 20) {
        int[] kept = draw(n, count, 31L * n + count);
        assertThat(kept).hasSize(count).isSorted().doesNotHaveDuplicates();
        assertThat(kept[0]).isNotNegative();
        assertThat(kept[count - 1]).isLessThan(n);
      }
    }
  }

  @Test
  void theSeedDecides() {
    for (long seed : new long[] {0, 1, -1, 42, Long.MAX_VALUE}) {
      assertThat(draw(576, 144, seed)).isEqualTo(draw(576, 144, seed));
      assertThat(draw(576, 144, seed)).isNotEqualTo(draw(576, 144, seed + 1));
    }
  }

  @Test
  void imagesOfAPromptAreDrawnApart() {
    VisualSpan first = new VisualSpan(3, 24, 24);
    VisualSpan second = new VisualSpan(600, 24, 24);
    int[] both = draw(List.of(first, second), 64, 9);
    int[] ofFirst = Arrays.copyOf(both, 64);
    assertThat(Arrays.copyOfRange(both, 64, 128)).isNotEqualTo(ofFirst);
    assertThat(draw(List.of(first), 64, 9)).isEqualTo(ofFirst);
  }

  /** Over neighbouring seeds each token, and each pair of the first two, stays equally often. */
  @Test
  void everyTokenIsAsLikely() {
    int n = 48;
    int count = 12;
    int rounds = 8000;
    int[] times = new int[n];
    int together = 0;
    for (int seed = 0; seed < rounds; seed++) {
      int[] kept = draw(n, count, seed);
      for (int token : kept) {
        times[token]++;
      }
      together += kept[0] == 0 && kept[1] == 1 ? 1 : 0;
    }
    double share = (double) count / n;
    // 5 standard deviations: one of 48 exceeds them once in 40,000 choices of seeds
    double slack = 5 * Math.sqrt(rounds * share * (1 - share));
    assertThat(Arrays.stream(times).min().orElseThrow())
        .isGreaterThan((int) (rounds * share - slack));
    assertThat(Arrays.stream(times).max().orElseThrow()).isLessThan((int) (rounds * share + slack));
    double pair = share * (count - 1) / (n - 1);
    assertThat((double) together)
        .isBetween(
            rounds * pair - 5 * Math.sqrt(rounds * pair),
            rounds * pair + 5 * Math.sqrt(rounds * pair));
    // chi-square of counts: mean (n - 1)(1 - share), 5 deviations above is never chance
    double expected = rounds * share;
    double chi =
        Arrays.stream(times).mapToDouble(t -> (t - expected) * (t - expected) / expected).sum();
    double mean = n * (1 - share);
    assertThat(chi).isBetween(mean / 3, mean + 5 * Math.sqrt(2 * mean));
  }

  @Test
  void onlyRateZeroIsInactive() {
    assertThat(new RandomPruning(2, new Budget.Rate(0), 1, Policy.DEFAULT).inactive())
        .isEqualTo("rate 0 removes nothing");
    assertThat(new RandomPruning(2, new Budget.Rate(0.1), 1, Policy.DEFAULT).inactive()).isEmpty();
    assertThat(new RandomPruning(2, new Budget.Keep(9), 1, Policy.DEFAULT).inactive()).isEmpty();
  }
}
