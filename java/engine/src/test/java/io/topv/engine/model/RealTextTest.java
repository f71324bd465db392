package io.topv.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.topv.engine.template.Assets;
import io.topv.engine.tokenizer.Tokenizer;
import io.topv.runtime.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** Real language models say the same 64 tokens as in transformers. */
final class RealTextTest {

  static Stream<Arguments> cases() {
    JsonNode cases = GoldenCase.json(GoldenCase.GOLDEN.resolve("real-text.json")).get("cases");
    return StreamSupport.stream(cases.spliterator(), false)
        .map(c -> Arguments.of(c.get("model").asString(), c.get("prompt").asString(), c));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("cases")
  void saysWhatTransformersSays(String name, String prompt, JsonNode golden) {
    Path directory = Assets.model(name);
    assumeTrue(Files.isDirectory(directory), directory + " is absent; run scripts/fetch_assets");
    int[] expected = GoldenCase.ints(golden.get("greedy"));
    int[] ids = GoldenCase.ints(golden.get("prompt_ids"));
    try (TestModel test = TestModel.open(directory, DType.F32, 2);
        Tokenizer tokenizer = Tokenizer.load(directory)) {
      assertThat(tokenizer.encodePrompt(prompt)).containsExactly(ids);
      SequenceState sequence = test.sequence(ids, List.of(), List.of());
      float[] logits = test.prefill(sequence).get(0);
      int[] tokens = test.greedy(sequence, logits, expected.length);
      assertThat(tokens).containsExactly(expected);
      assertThat(tokenizer.decode(tokens, true)).isEqualTo(golden.get("text").asString());
    }
  }
}
