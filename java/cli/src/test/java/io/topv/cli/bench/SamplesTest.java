package io.topv.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class SamplesTest {
  @Test
  void quantilesLieBetweenNeighbours() {
    Samples samples = new Samples(List.of(4.0, 1.0, 3.0, 2.0, 5.0, 6.0));
    assertThat(samples.median()).isEqualTo(3.5);
    assertThat(samples.quantile(0.2)).isEqualTo(2.0);
    assertThat(samples.quantile(1)).isEqualTo(6.0);
    assertThat(new Samples(List.of(2.0)).median()).isEqualTo(2.0);
  }

  @Test
  void noiseIsTheDeviationByTheMean() {
    assertThat(new Samples(List.of(1.0, 3.0)).noise()).isCloseTo(0.5, within(1e-12));
    assertThat(new Samples(List.of(2.0, 2.0)).noise()).isZero();
  }

  @Test
  void aNumberThatIsNoneIsNeverClose() {
    Agreement agreement = new Agreement();
    agreement.add(1, 1);
    agreement.add(Double.NaN, 1);
    agreement.add(1, 1);
    assertThat(agreement.error() <= 1).isFalse();
  }

  @Test
  void errorsAreRelativeToTheSizeOfTheNumbers() {
    Agreement agreement = new Agreement();
    agreement.add(11, 10);
    assertThat(agreement.error()).isCloseTo(1.0 / 20, within(1e-12));
  }
}
