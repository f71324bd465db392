package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.runtime.DType;
import io.topv.runtime.Stream;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A model works on whichever stream its context uses. */
@Tag("every-device")
final class StreamTest {
  /** Steps that are recorded cut the keys in other pieces, whose sums differ. */
  private static final double RELATIVE = 1e-5;

  private static final int STEPS = 4;

  /** Where graphs are used, some of the context's own steps are recorded and repeated. */
  @Test
  void stepsOnAnotherStreamGoOnWhereThoseOnItsOwnEnded() {
    GoldenCase golden = GoldenCase.of("llama-text", "text");
    try (TestModel test = TestModel.open(golden.model(), DType.F32, 2);
        Stream stream = test.context().newStream()) {
      SequenceState expected = test.sequence(golden.prompt(), List.of(), List.of());
      SequenceState actual = test.sequence(golden.prompt(), List.of(), List.of());
      test.prefill(expected, actual);
      for (int i = 0; i < 3 * STEPS; i++) {
        float[] own = test.decode(List.of(expected), 7 + i).get(0);
        test.context().use(i / STEPS == 1 ? stream : null);
        float[] there = test.decode(List.of(actual), 7 + i).get(0);
        test.context().use(null);
        assertThat(Closeness.relative(there, own)).as("step " + i).isLessThanOrEqualTo(RELATIVE);
      }
    }
  }
}
