package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.engine.prune.Budget;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.RandomPruning;
import io.topv.runtime.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a model says to requests that it cannot serve, and when pruning does not apply. */
final class NewSequenceTest {
  private static final GoldenCase GOLDEN = GoldenCase.of("llava-mha", "one-image");

  private static PruningMethod random(int layer, Budget budget) {
    return new RandomPruning(layer, budget, 1, Policy.DEFAULT);
  }

  private static TestModel open(GoldenCase golden, int split) {
    return TestModel.open(golden.model(), DType.F32, 1, TestModel.Sizes.USUAL.splitAfter(split));
  }

  @Test
  void pruningAfterTheLastLayerIsRefused() {
    try (TestModel test = open(GOLDEN, 3)) {
      for (int layer : new int[] {3, 4, 100}) {
        assertThatThrownBy(() -> test.sequence(GOLDEN, random(layer, new Budget.Keep(3))))
            .isInstanceOf(TopvException.class)
            .hasMessage("topv-layer = " + layer + " is not below the model's 3 layers");
      }
    }
  }

  @Test
  void pruningElsewhereThanTheCachesAreSplitIsRefused() {
    try (TestModel test = open(GOLDEN, 1)) {
      assertThatThrownBy(() -> test.sequence(GOLDEN, random(2, new Budget.Keep(3))))
          .isInstanceOf(TopvException.class)
          .hasMessage("topv-layer = 2, but this engine's caches are split after layer 1");
    }
  }

  @Test
  void pruningThatDoesNotApplyIsNoPruning() {
    try (TestModel test = open(GOLDEN, 2)) {
      float[] whole = test.prefill(test.sequence(GOLDEN, random(2, new Budget.Rate(0)))).get(0);
      SequenceState tooFew = test.sequence(GOLDEN, random(2, new Budget.Rate(0.99)));
      assertThat(test.prefill(tooFew).get(0)).isEqualTo(whole);
      assertThat(tooFew.selections()).isEmpty();
      assertThat(tooFew.upperLength()).isEqualTo(GOLDEN.prompt().length);
      SequenceState noImage =
          test.sequence(new int[] {1, 6, 7}, List.of(), List.of(), random(2, new Budget.Keep(99)));
      test.prefill(noImage);
      assertThat(noImage.selections()).isEmpty();
    }
  }

  @Test
  void moreThanTheImageHasIsRefused() {
    try (TestModel test = open(GOLDEN, 2)) {
      assertThatThrownBy(() -> test.sequence(GOLDEN, random(2, new Budget.Keep(17))))
          .isInstanceOf(TopvException.class)
          .hasMessage("prune-keep = 17 is more than the image's 16 visual tokens");
    }
  }

  @Test
  void aTextModelHasNoEyes() {
    GoldenCase text = GoldenCase.of("llama-text", "text");
    try (TestModel test = open(text, 2)) {
      assertThatThrownBy(() -> test.model().encode(List.of(new float[3 * 8 * 8]), 8))
          .isInstanceOf(TopvException.class)
          .hasMessage("this model reads text only, but an image was given");
    }
  }

  @Test
  void tokensOutsideOfTheVocabularyAreRefused() {
    try (TestModel test = open(GOLDEN, 2)) {
      for (int token : new int[] {-1, 104, Integer.MAX_VALUE}) {
        SequenceState sequence = test.sequence(new int[] {1, token}, List.of(), List.of());
        assertThatThrownBy(() -> test.prefill(sequence)).hasMessageContaining("ids[1] = " + token);
        sequence.release();
      }
    }
  }
}
