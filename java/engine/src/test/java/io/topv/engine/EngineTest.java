package io.topv.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.prune.Budget;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import io.topv.engine.sample.SamplingParams;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.NativeException;
import io.topv.runtime.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way, with the model that ships. */
class EngineTest {
  private static final Path ROOT = Path.of(System.getProperty("topv.root"));
  private static final Path MODEL = ROOT.resolve("models/topv-demo");
  private static final Path PICTURE = ROOT.resolve("docs/examples/shapes.png");
  private static final String QUESTION = "How many circles are there?";

  private static Engine engine;

  @BeforeAll
  static void load() {
    engine = Engine.load(MODEL, EngineOptions.defaults().withMaxSequences(4));
  }

  @AfterAll
  static void close() {
    engine.close();
  }

  private static SamplingParams sampling(int maxTokens, List<String> stop, boolean ignoreEos) {
    return new SamplingParams(
        maxTokens, 0, 0, 1, 0, 1, 0, 0, OptionalLong.empty(), stop, -1, ignoreEos);
  }

  /** Draws of a hot distribution: long texts, the same each time. */
  private static SamplingParams hot(List<String> stop) {
    return new SamplingParams(60, 3, 0, 1, 0, 1, 0, 0, OptionalLong.of(5), stop, -1, true);
  }

  @Test
  void streamsWhatItReturns() {
    StringBuilder streamed = new StringBuilder();
    Answer answer =
        engine.generate(
            Request.of(QUESTION, PICTURE),
            text -> {
              streamed.append(text);
              return true;
            });
    assertThat(streamed).hasToString(answer.text());
    assertThat(answer.finishReason()).isEqualTo(Answer.FinishReason.STOP);
    assertThat(answer.promptTokens()).isGreaterThan(576);
    assertThat(answer.images().get(0).kept()).hasSize(576);
  }

  @Test
  void endsAtTheMostTokens() {
    Answer answer =
        engine.generate(Request.of(QUESTION, PICTURE).withSampling(sampling(7, List.of(), true)));
    assertThat(answer.tokenIds()).hasSize(7);
    assertThat(answer.finishReason()).isEqualTo(Answer.FinishReason.LENGTH);
  }

  @Test
  void endsWhereTheCacheEnds() {
    EngineOptions options = EngineOptions.defaults().withMaxModelLen(OptionalInt.of(600));
    try (Engine small = Engine.load(MODEL, options)) {
      Request request = Request.of(QUESTION, PICTURE).withSampling(sampling(1000, List.of(), true));
      Answer answer = small.generate(request);
      assertThat(answer.finishReason()).isEqualTo(Answer.FinishReason.LENGTH);
      assertThat(answer.promptTokens() + answer.tokenIds().length).isEqualTo(600);
      // and again: all pages came back
      assertThat(small.generate(request).tokenIds()).isEqualTo(answer.tokenIds());
    }
  }

  @Test
  void stopStringsAreNotShown() {
    Request request = Request.of(QUESTION, PICTURE);
    String text = engine.generate(request.withSampling(hot(List.of()))).text();
    String stop = text.substring(text.length() / 2, text.length() / 2 + 3);
    Answer answer = engine.generate(request.withSampling(hot(List.of(stop))));
    assertThat(answer.finishReason()).isEqualTo(Answer.FinishReason.STOP);
    assertThat(answer.text()).isEqualTo(text.substring(0, text.indexOf(stop)));
  }

  @Test
  void stopsWhenTheListenerHasEnough() {
    List<String> heard = new ArrayList<>();
    Answer answer =
        engine.generate(
            Request.of(QUESTION, PICTURE).withSampling(sampling(40, List.of(), true)),
            text -> {
              heard.add(text);
              return heard.size() < 3;
            });
    assertThat(answer.finishReason()).isEqualTo(Answer.FinishReason.CANCELLED);
    assertThat(answer.tokenIds()).hasSize(3);
  }

  @Test
  void manyAtOnceGetWhatEachGetsAlone() {
    List<Request> requests = new ArrayList<>();
    for (String question :
        List.of(
            QUESTION,
            "What color is the circle?",
            "Is there a red square?",
            "What word is written?")) {
      Request request = Request.of(question, PICTURE).withSampling(sampling(6, List.of(), true));
      requests.add(request);
      requests.add(
          request.withPruning(
              new TopvPruning(TopvSettings.PAPER, new Budget.Keep(300), OptionalInt.empty())));
    }
    requests.add(Request.of("Hello").withSampling(sampling(3, List.of(), true)));
    List<Answer> together = engine.generate(requests, i -> TokenListener.SILENT);
    for (int i = 0; i < requests.size(); i++) {
      Answer alone = engine.generate(requests.get(i));
      assertThat(together.get(i).promptTokens()).isEqualTo(alone.promptTokens());
      assertThat(together.get(i).tokenIds()).hasSameSizeAs(alone.tokenIds());
      // bf16 sums of another batch shape may tip a tie later on; the first token has none here
      assertThat(together.get(i).tokenIds()[0]).isEqualTo(alone.tokenIds()[0]);
    }
  }

  @Test
  void aKnownImageIsNotEncodedAgain() {
    engine.generate(Request.of(QUESTION, PICTURE));
    assertThat(engine.generate(Request.of(QUESTION, PICTURE)).timings().vision()).isZero();
  }

  @Test
  void worksOnOneThreadAndOnAvx2() {
    for (String isa : List.of("avx2", "avx512")) {
      ContextOptions device = new ContextOptions("cpu", 0, 1, Optional.of(isa));
      Engine narrow;
      try {
        narrow = Engine.load(MODEL, EngineOptions.defaults().withDevice(device));
      } catch (NativeException e) {
        assertThat(e.status()).isEqualTo(Status.UNSUPPORTED);
        continue;
      }
      try (narrow) {
        assertThat(narrow.generate(Request.of(QUESTION, PICTURE)).text())
            .isEqualTo(engine.generate(Request.of(QUESTION, PICTURE)).text());
      }
    }
  }

  @Test
  void refusesBrokenModels(@TempDir Path dir) throws Exception {
    for (String file :
        List.of("config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json")) {
      Path broken = Files.createDirectory(dir.resolve(file + ".d"));
      try (var files = Files.list(MODEL)) {
        for (Path from : files.toList()) {
          if (!from.getFileName().toString().equals("processor_config.json")) {
            Files.createSymbolicLink(broken.resolve(from.getFileName()), from);
          }
        }
      }
      Files.delete(broken.resolve(file));
      assertThatThrownBy(() -> Engine.load(broken, EngineOptions.defaults()))
          .isInstanceOf(TopvException.class)
          .hasMessageContaining(file.replace("model.safetensors", "safetensors"));
      Files.writeString(broken.resolve(file), "{\"x\": ");
      assertThatThrownBy(() -> Engine.load(broken, EngineOptions.defaults()))
          .isInstanceOf(TopvException.class)
          .hasMessageContaining(file);
    }
  }

  @Test
  void refusesAModelWhoseShapesDoNotFit(@TempDir Path dir) throws Exception {
    try (var files = Files.list(MODEL)) {
      for (Path from : files.toList()) {
        Files.createSymbolicLink(dir.resolve(from.getFileName()), from);
      }
    }
    Path config = dir.resolve("config.json");
    String text = Files.readString(config);
    Files.delete(config);
    Files.writeString(
        config, text.replace("\"intermediate_size\": 512", "\"intermediate_size\": 640"));
    assertThatThrownBy(() -> Engine.load(dir, EngineOptions.defaults()))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("gate_proj")
        .hasMessageContaining("640");
  }
}
