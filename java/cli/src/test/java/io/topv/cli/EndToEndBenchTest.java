package io.topv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code topv bench e2e} on the model that ships. */
class EndToEndBenchTest {
  private static final int SIDE = 336;
  private static final int VISUAL_TOKENS = 576;
  private static final int TEXT_TOKENS = 4;
  private static final int VOCAB = 576;
  private static final String IMAGE_TOKEN = "4";

  @TempDir private Path dir;

  /** Answers to {@code questions}, the first one about loading. */
  private List<JsonNode> ask(List<String> options, String... questions) throws IOException {
    Path pixels = dir.resolve("pixels.f32");
    ByteBuffer values =
        ByteBuffer.allocate(3 * SIDE * SIDE * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
      values.putFloat((float) Math.sin(0.01 * i));
    }
    Files.write(pixels, values.array());
    Path prompt = dir.resolve("prompt.txt");
    String image = String.join(" ", Collections.nCopies(VISUAL_TOKENS, IMAGE_TOKEN));
    Files.writeString(prompt, "1 20 " + image + " 30 40\n");
    List<String> command =
        new ArrayList<>(
            List.of("bench", "e2e", "--model", Cli.ROOT.resolve("models/topv-demo").toString()));
    command.addAll(List.of("--pixels", pixels.toString(), "--prompt", prompt.toString()));
    command.addAll(options);
    InputStream old = System.in;
    try {
      String lines = String.join("\n", questions) + "\n";
      System.setIn(new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)));
      Cli run = Cli.run(command.toArray(String[]::new));
      assertThat(run.code()).as(run.err()).isZero();
      return run.out().lines().map(JsonMapper.shared()::readTree).toList();
    } finally {
      System.setIn(old);
    }
  }

  private static int best(float[] logits, int row) {
    int best = 0;
    for (int i = 0; i < VOCAB; i++) {
      best = logits[row * VOCAB + i] > logits[row * VOCAB + best] ? i : best;
    }
    return best;
  }

  private static float[] floats(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  @Test
  void stagesFollowOneAnother() throws IOException {
    Path logits = dir.resolve("logits.f32");
    List<JsonNode> answers =
        ask(
            List.of("--most", "2"),
            "vision",
            "prefill",
            "decode 3",
            "prefill 180",
            "batch 2",
            "first 180",
            "decode 2",
            "force " + logits + " 7 8");
    assertThat(answers).hasSize(9);
    assertThat(answers.get(0).get("device").asString()).contains("cpu");
    for (int timed : new int[] {1, 2, 3, 4, 6, 7}) {
      assertThat(answers.get(timed).get("ms").asDouble()).isPositive();
    }
    assertThat(answers.get(2).get("upper_tokens").asInt()).isEqualTo(TEXT_TOKENS + VISUAL_TOKENS);
    assertThat(answers.get(4).get("upper_tokens").asInt()).isEqualTo(TEXT_TOKENS + 180);
    JsonNode decoded = answers.get(3).get("tokens");
    assertThat(decoded).hasSize(3);
    assertThat(decoded.get(0)).isEqualTo(answers.get(2).get("token"));
    assertThat(answers.get(6).get("token")).isEqualTo(answers.get(4).get("token"));
    assertThat(answers.get(7).get("tokens").get(0)).isEqualTo(answers.get(6).get("token"));
    float[] forced = floats(logits);
    assertThat(answers.get(8).get("rows").asInt()).isEqualTo(3);
    assertThat(forced).hasSize(3 * VOCAB);
    assertThat(best(forced, 0)).isEqualTo(decoded.get(0).asInt());
  }

  @Test
  void numbersOfAPoolStandForWeights() throws IOException {
    Path pool = dir.resolve("pool.bf16");
    byte[] numbers = new byte[2 << 20];
    for (int i = 0; i < numbers.length; i += 2) { // about 0.02, of either sign
      numbers[i] = (byte) (i * 37 >> 3);
      numbers[i + 1] = (byte) (i % 3 == 0 ? 0x3c : 0xbc);
    }
    Files.write(pool, numbers);
    List<JsonNode> answers = ask(List.of("--pool", pool.toString()), "first", "decode 2");
    assertThat(answers.get(1).get("token").asInt()).isBetween(0, VOCAB - 1);
    assertThat(answers.get(2).get("tokens")).hasSize(2);
  }
}
