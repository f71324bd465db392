package io.topv.engine.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BudgetTest {
  private static final int LARGEST = 600;

  @Test
  void aRateRoundsToTheNearestCount() {
    Random random = new Random(11);
    for (int n = 1; n <= LARGEST; n++) {
      for (int i = 0; i < 50; i++) {
        double removed = random.nextDouble();
        int kept = new Budget.Rate(removed).kept(n);
        assertThat(kept).isBetween(0, n);
        assertThat(Math.abs(kept - (1 - removed) * n)).isLessThanOrEqualTo(0.5 + 1e-9);
      }
    }
  }

  @Test
  void ratesOfWholeTokensAreExact() {
    for (int n = 1; n <= LARGEST; n++) {
      for (int removed = 0; removed < n; removed++) {
        assertThat(new Budget.Rate((double) removed / n).kept(n)).isEqualTo(n - removed);
      }
    }
  }

  @Test
  void theMoreIsRemovedTheLessStays() {
    for (int n = 1; n <= LARGEST; n++) {
      int before = n;
      for (int percent = 0; percent < 100; percent++) {
        int kept = new Budget.Rate(percent / 100.0).kept(n);
        assertThat(kept).isLessThanOrEqualTo(before);
        before = kept;
      }
    }
  }

  @Test
  void publishedSettingsOfLlava() {
    assertThat(new Budget.Rate(0.375).kept(576)).isEqualTo(360);
    assertThat(new Budget.Rate(0.54).kept(576)).isEqualTo(265);
    assertThat(new Budget.Rate(0.999).kept(576)).isEqualTo(1);
    assertThat(new Budget.Rate(0.9999).kept(576)).isZero();
  }

  @Test
  void aCountIsTheCountOrAnError() {
    for (int n = 1; n <= LARGEST; n++) {
      assertThat(new Budget.Keep(n).kept(n)).isEqualTo(n);
      assertThat(new Budget.Keep(1).kept(n)).isEqualTo(1);
      Budget more = new Budget.Keep(n + 1);
      int tokens = n;
      assertThatThrownBy(() -> more.kept(tokens))
          .isInstanceOf(TopvException.class)
          .hasMessage("prune-keep = %d is more than the image's %d visual tokens", n + 1, n);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1e-9, 1, 1.5, Double.NaN, Double.POSITIVE_INFINITY})
  void ratesOutsideOfTheirRangeAreRefused(double removed) {
    assertThatThrownBy(() -> new Budget.Rate(removed))
        .isInstanceOf(TopvException.class)
        .hasMessage("prune-rate = " + removed + " is not in [0, 1)");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
  void countsBelowOneAreRefused(int count) {
    assertThatThrownBy(() -> new Budget.Keep(count))
        .isInstanceOf(TopvException.class)
        .hasMessage("prune-keep = " + count + " is not at least 1");
  }
}
