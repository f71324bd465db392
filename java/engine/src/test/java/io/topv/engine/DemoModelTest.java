package io.topv.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.runtime.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The model that ships answers as transformers does (scripts/make_demo_golden.py). */
class DemoModelTest {
  private static final Path ROOT = Path.of(System.getProperty("topv.root"));
  private static final Path MODEL = ROOT.resolve("models/topv-demo");
  private static final JsonMapper JSON = new JsonMapper();

  /** Part of the held-out questions: all of them take a minute, and {@code topv eval} asks them. */
  private static final int QUESTIONS = 250;

  @Test
  void answersAsTransformersDoes() throws Exception {
    JsonNode golden =
        JSON.readTree(Files.readString(Path.of("src/test/resources/golden/demo-answers.json")));
    byte[] weights = Files.readAllBytes(MODEL.resolve("model.safetensors"));
    assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(weights)))
        .as("the golden answers are of this model")
        .isEqualTo(golden.path("weights_sha256").asString());
    assertThat(golden.path("accuracy").asDouble()).isGreaterThanOrEqualTo(0.85);
    List<String> lines = Files.readAllLines(ROOT.resolve("eval/questions.jsonl"));
    List<Request> requests = new ArrayList<>();
    int right = 0;
    for (String line : lines.subList(0, QUESTIONS)) {
      JsonNode row = JSON.readTree(line);
      Path image = ROOT.resolve("eval").resolve(row.path("image").asString());
      requests.add(Request.of(row.path("question").asString(), image));
    }
    EngineOptions options =
        EngineOptions.defaults().withDtype(Optional.of(DType.F32)).withMaxSequences(8);
    try (Engine engine = Engine.load(MODEL, options)) {
      List<Answer> answers = engine.generate(requests, i -> TokenListener.SILENT);
      for (int i = 0; i < QUESTIONS; i++) {
        String text = answers.get(i).text().strip();
        assertThat(text).as(lines.get(i)).isEqualTo(golden.path("answers").path(i).asString());
        right += text.equals(JSON.readTree(lines.get(i)).path("answer").asString()) ? 1 : 0;
      }
    }
    assertThat(right).isGreaterThanOrEqualTo(QUESTIONS * 85 / 100);
  }
}
