package io.topv.engine.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.runtime.Solver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TopvSettingsTest {

  @Test
  void thePublishedSet() {
    TopvSettings paper = TopvSettings.PAPER;
    assertThat(paper.layer()).isEqualTo(2);
    assertThat(paper.recoverEvery()).isEqualTo(4);
    assertThat(paper.iterations()).isEqualTo(3);
    assertThat(paper.alpha()).isEqualTo(1);
    assertThat(paper.beta()).isEqualTo(1);
    assertThat(paper.gamma()).isEqualTo(0.01f);
    assertThat(paper.uniform()).isFalse();
    assertThat(paper.policy()).isEqualTo(Policy.DEFAULT);
  }

  @ParameterizedTest
  @CsvSource({
    "topv-layer, 0, at least 1",
    "topv-layer, -3, at least 1",
    "topv-recover-every, -1, at least 0",
    "topv-iterations, 0, in 1 .. 10000",
    "topv-iterations, 10001, in 1 .. 10000"
  })
  void countsOutsideOfTheirRangeAreRefused(String option, int value, String expected) {
    assertThatThrownBy(
            () ->
                new TopvSettings(
                    option.equals("topv-layer") ? value : 2,
                    option.equals("topv-recover-every") ? value : 4,
                    Solver.ONE_SIDED,
                    option.equals("topv-iterations") ? value : 3,
                    1,
                    1,
                    0.01f,
                    10,
                    0.1f,
                    1,
                    false,
                    Policy.DEFAULT))
        .isInstanceOf(TopvException.class)
        .hasMessage("%s = %d is not %s", option, value, expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "topv-alpha",
        "topv-beta",
        "topv-gamma",
        "topv-sigma",
        "topv-epsilon",
        "topv-lambda"
      })
  void factorsThatAreNoNumbersAreRefused(String option) {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertThatThrownBy(() -> with(option, bad))
          .isInstanceOf(TopvException.class)
          .hasMessageStartingWith(option + " = " + bad + " is not ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"topv-sigma", "topv-epsilon", "topv-lambda"})
  void widthsMustBeAboveZero(String option) {
    for (float bad : new float[] {0, -0.0f, -1}) {
      assertThatThrownBy(() -> with(option, bad))
          .isInstanceOf(TopvException.class)
          .hasMessage(option + " = " + bad + " is not above 0");
    }
  }

  private static TopvSettings with(String option, float value) {
    return new TopvSettings(
        2,
        4,
        Solver.ONE_SIDED,
        3,
        option.equals("topv-alpha") ? value : 1,
        option.equals("topv-beta") ? value : 1,
        option.equals("topv-gamma") ? value : 0.01f,
        option.equals("topv-sigma") ? value : 10,
        option.equals("topv-epsilon") ? value : 0.1f,
        option.equals("topv-lambda") ? value : 1,
        false,
        Policy.DEFAULT);
  }
}
