package io.topv.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.model.GoldenCase;
import io.topv.engine.model.TopvGoldenTest;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.sample.SamplingParams;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** From files and a question to token ids: the whole engine says what transformers says. */
@Tag("every-device")
@Tag("long-when-emulated")
final class EngineGoldenTest {
  /** As in TestModel: cpu, cuda or simt. */
  private static final String BACKEND = System.getProperty("topv.test.backend", "cpu");

  static Stream<GoldenCase> cases() {
    return GoldenCase.models().stream().flatMap(model -> GoldenCase.of(model).stream());
  }

  private static Engine load(Path model, int pruneLayer, int maxSequences) {
    return Engine.load(
        model,
        EngineOptions.defaults()
            .withDevice(new ContextOptions(BACKEND, 0, 0, Optional.empty()))
            .withDtype(Optional.of(DType.F32))
            .withPruneLayer(pruneLayer)
            .withMaxSequences(maxSequences));
  }

  /** The text that the user said, without what the chat template adds. */
  private static String question(GoldenCase golden) {
    JsonNode content = golden.meta().get("messages").get(0).get("content");
    return content.isString()
        ? content.asString()
        : content.get(content.size() - 1).get("text").asString();
  }

  private static Request asked(GoldenCase golden, int tokens) {
    return Request.of(question(golden), golden.images().toArray(Path[]::new))
        .withSampling(SamplingParams.greedy(tokens));
  }

  private static Request raw(GoldenCase golden, int tokens) {
    return new Request(
        golden.meta().get("prompt").asString(),
        golden.images().stream().map(ImageInput::of).toList(),
        true,
        new NoPruning(2),
        SamplingParams.greedy(tokens),
        OptionalInt.empty());
  }

  private static int[] greedy(GoldenCase golden) {
    return GoldenCase.ints(golden.meta().get("greedy").get("float32"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void answersAsTransformers(GoldenCase golden) {
    try (Engine engine = load(golden.model(), 2, 1)) {
      for (Request request : List.of(asked(golden, 64), raw(golden, 64))) {
        Answer answer = engine.generate(request);
        assertThat(answer.promptTokens()).isEqualTo(golden.prompt().length);
        assertThat(answer.tokenIds()).containsExactly(greedy(golden));
        assertThat(answer.finishReason()).isEqualTo(Answer.FinishReason.LENGTH);
        assertThat(answer.images()).hasSameSizeAs(golden.images());
      }
    }
  }

  static Stream<GoldenCase> pruned() {
    return GoldenCase.topv().stream();
  }

  @ParameterizedTest
  @MethodSource("pruned")
  void prunesAsTheOracle(GoldenCase golden) {
    TopvPruning method = TopvGoldenTest.method(golden.meta());
    try (Engine engine = load(golden.model(), method.layer(), 1)) {
      Answer answer = engine.generate(asked(golden, 32).withPruning(method));
      assertThat(answer.tokenIds()).containsExactly(GoldenCase.ints(golden.meta().get("greedy")));
      assertThat(answer.notApplied()).isEmpty();
      for (int i = 0; i < answer.images().size(); i++) {
        Answer.ImageReport image = answer.images().get(i);
        assertThat(image.kept()).containsExactly(GoldenCase.ints(golden.meta().get("kept").get(i)));
        assertThat(image.visualTokens()).isEqualTo(golden.spans().get(i).tokens());
        assertThat(image.importance()).hasSize(image.visualTokens());
        assertThat(image.method()).isEqualTo("topv");
        assertThat(image.notApplied()).isEmpty();
      }
    }
  }

  /** More questions than run at once, of all kinds, in whatever steps they share. */
  @Test
  void manyQuestionsGetTheirOwnAnswers() {
    Path model = GoldenCase.GOLDEN.resolve("llava-gqa");
    List<Request> requests = new ArrayList<>();
    List<int[]> expected = new ArrayList<>();
    GoldenCase plain = GoldenCase.of("llava-gqa", "one-image");
    for (GoldenCase golden : GoldenCase.topv()) {
      TopvPruning method = TopvGoldenTest.method(golden.meta());
      if (method.layer() == 2) {
        int tokens = 1 + (requests.size() * 7) % 32;
        requests.add(asked(golden, tokens).withPruning(method));
        expected.add(beginning(GoldenCase.ints(golden.meta().get("greedy")), tokens));
      }
      if (requests.size() % 4 == 0) {
        requests.add(asked(plain, 20));
        expected.add(beginning(greedy(plain), 20));
      }
    }
    for (int atOnce : new int[] {1, 3, 50}) {
      try (Engine engine = load(model, 2, atOnce)) {
        List<Answer> answers = engine.generate(requests, index -> TokenListener.SILENT);
        for (int i = 0; i < requests.size(); i++) {
          assertThat(answers.get(i).tokenIds())
              .as("request " + i + ", " + atOnce + " at once")
              .containsExactly(expected.get(i));
        }
        int free = engine.model().cache().freeLowerPages();
        assertThat(free).isEqualTo(engine.model().cache().layout().lowerPages());
        assertThat(engine.model().cache().freeUpperPages()).isEqualTo(free);
      }
    }
  }

  private static int[] beginning(int[] tokens, int count) {
    return Arrays.copyOf(tokens, count);
  }
}
