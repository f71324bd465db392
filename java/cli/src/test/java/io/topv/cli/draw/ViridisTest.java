package io.topv.cli.draw;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ViridisTest {
  /** matplotlib's viridis at 0, 1/4, 1/2, 3/4, 1. */
  private static final int[] PUBLISHED = {0x440154, 0x3b528b, 0x21918c, 0x5ec962, 0xfde725};

  @Test
  void isCloseToThePublishedMap() {
    for (int i = 0; i < PUBLISHED.length; i++) {
      int rgb = Viridis.rgb(i / 4.0);
      for (int shift = 0; shift <= 16; shift += 8) {
        assertThat(rgb >> shift & 255).isCloseTo(PUBLISHED[i] >> shift & 255, within(6));
      }
    }
  }

  @Test
  void growsBrighter() {
    double before = -1;
    for (int i = 0; i <= 50; i++) {
      int rgb = Viridis.rgb(i / 50.0);
      double luma = 0.299 * (rgb >> 16) + 0.587 * (rgb >> 8 & 255) + 0.114 * (rgb & 255);
      assertThat(luma).isGreaterThan(before);
      before = luma;
    }
  }

  @Test
  void bringsEveryNumberIntoTheMap() {
    assertThat(Viridis.rgb(-3)).isEqualTo(Viridis.rgb(0));
    assertThat(Viridis.rgb(Double.NaN)).isEqualTo(Viridis.rgb(0));
    assertThat(Viridis.rgb(7)).isEqualTo(Viridis.rgb(1));
  }

  private static org.assertj.core.data.Offset<Integer> within(int distance) {
    return org.assertj.core.data.Offset.offset(distance);
  }
}
