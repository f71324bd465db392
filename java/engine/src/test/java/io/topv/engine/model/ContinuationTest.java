package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.prune.VisualSpan;
import io.topv.runtime.DType;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tokens that come one by one, from pages, say what they say inside a prompt. */
@Tag("every-isa")
@Tag("every-device")
final class ContinuationTest {
  /** One row or many take different kernels, which sum in another order; measured 1e-6. */
  private static final double RELATIVE = 1e-5;

  static Stream<GoldenCase> cases() {
    return GoldenCase.models().stream().flatMap(model -> GoldenCase.of(model).stream());
  }

  @ParameterizedTest
  @Tag("long-when-emulated")
  @MethodSource("cases")
  void decodingEqualsPrefillOfTheLongerPrompt(GoldenCase golden) {
    int[] prompt = golden.prompt();
    int first = golden.spans().stream().mapToInt(ContinuationTest::end).max().orElse(0) + 1;
    try (TestModel test = TestModel.open(golden.model(), DType.F32, 2)) {
      List<ImageFeatures> images = test.encode(golden.pixels());
      int[] beginning = Arrays.copyOf(prompt, first);
      SequenceState sequence = test.sequence(beginning, golden.spans(), images);
      float[] logits = test.prefill(sequence).get(0);
      for (int length = first; length <= prompt.length; length++) {
        SequenceState whole = test.sequence(Arrays.copyOf(prompt, length), golden.spans(), images);
        float[] expected = test.prefill(whole).get(0);
        whole.release();
        assertThat(Closeness.relative(logits, expected))
            .as("after token " + length)
            .isLessThanOrEqualTo(RELATIVE);
        assertThat(sequence.lowerLength()).isEqualTo(length);
        assertThat(sequence.upperLength()).isEqualTo(length);
        if (length < prompt.length) {
          logits = test.decode(List.of(sequence), prompt[length]).get(0);
        }
      }
    }
  }

  private static int end(VisualSpan span) {
    return span.start() + span.tokens();
  }

  @ParameterizedTest
  @Tag("long-when-emulated")
  @MethodSource("cases")
  void pagesOfAnySizeGiveTheSameBits(GoldenCase golden) {
    float[][] expected = null;
    for (int pageSize : new int[] {1, 2, 7, 16, 64, 512}) {
      TestModel.Sizes sizes = new TestModel.Sizes(2, 512, pageSize, 600 / pageSize + 2);
      try (TestModel test = TestModel.open(golden.model(), DType.F32, 2, sizes)) {
        SequenceState sequence =
            test.sequence(golden.prompt(), golden.spans(), test.encode(golden.pixels()));
        float[][] logits = new float[20][];
        logits[0] = test.prefill(sequence).get(0);
        for (int i = 1; i < logits.length; i++) {
          logits[i] = test.decode(List.of(sequence), 6 + i).get(0);
        }
        expected = expected == null ? logits : expected;
        assertThat(logits).as("pages of " + pageSize).isDeepEqualTo(expected);
      }
    }
  }

  @Test
  void onePositionMoreThanTheTableHasIsRefused() {
    GoldenCase golden = GoldenCase.of("llama-text", "text");
    int length = golden.prompt().length;
    TestModel.Sizes sizes = new TestModel.Sizes(2, length + 1, 7, 40);
    try (TestModel test = TestModel.open(golden.model(), DType.F32, 1, sizes)) {
      SequenceState sequence = test.sequence(golden.prompt(), List.of(), List.of());
      test.prefill(sequence);
      test.decode(List.of(sequence), 7);
      assertThatThrownBy(() -> test.decode(List.of(sequence), 7)).hasMessageContaining("position");
    }
  }
}
