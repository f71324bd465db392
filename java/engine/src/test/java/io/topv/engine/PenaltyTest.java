package io.topv.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.model.GoldenCase;
import io.topv.engine.sample.SamplingParams;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Penalties are applied where the tokens are drawn: on a GPU there, unless logits are wanted. */
@Tag("every-device")
class PenaltyTest {
  private static final String BACKEND = System.getProperty("topv.test.backend", "cpu");
  private static final double[][] PENALTIES = {
    {1, 0, 0}, {1.5, 0, 0}, {1, 0.7, 0.2}, {0.8, -0.3, 1.1}
  };

  @Test
  void theHostAndTheDeviceChooseTheSameTokens() {
    List<Request> requests = new ArrayList<>();
    for (double[] p : PENALTIES) {
      for (int logprobs : new int[] {-1, 0}) { // log probabilities take the logits to the host
        SamplingParams params =
            new SamplingParams(
                12, 0, 0, 1, 0, p[0], p[1], p[2], OptionalLong.empty(), List.of(), logprobs, true);
        requests.add(Request.of("Hello, hello").withSampling(params));
      }
    }
    EngineOptions options =
        EngineOptions.defaults()
            .withDevice(new ContextOptions(BACKEND, 0, 0, Optional.empty()))
            .withDtype(Optional.of(DType.F32))
            .withMaxSequences(requests.size());
    try (Engine engine = Engine.load(GoldenCase.GOLDEN.resolve("llava-gqa"), options)) {
      List<Answer> answers = engine.generate(requests, index -> TokenListener.SILENT);
      Set<List<Integer>> different = new HashSet<>();
      for (int i = 0; i < requests.size(); i += 2) {
        int[] tokens = answers.get(i).tokenIds();
        assertThat(tokens)
            .as(Arrays.toString(PENALTIES[i / 2]))
            .containsExactly(answers.get(i + 1).tokenIds());
        different.add(Arrays.stream(tokens).boxed().toList());
      }
      assertThat(different).as("penalties change the answer").hasSizeGreaterThan(2);
    }
  }
}
