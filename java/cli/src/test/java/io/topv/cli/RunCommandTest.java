package io.topv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RunCommandTest {
  private static final String QUESTION = "How many circles are there?";

  private static JsonNode json(Cli run) {
    assertThat(run.code()).as(run.err()).isZero();
    return new JsonMapper().readTree(run.out());
  }

  @Test
  void answersAndReports() {
    Cli run = Cli.run("run", "--image", Cli.example("shapes.png"), "--prompt", QUESTION);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).matches("(?s)\\S.*\n");
    assertThat(run.err())
        .contains("576 of 576 visual tokens kept (24 x 24), none")
        .contains("first token after", "image", "vision", "prefill", "selection", "decode")
        .contains("tokens/s", "peak memory");
  }

  @Test
  void keepsExactlyWhatIsAskedFor() {
    JsonNode answer =
        json(
            Cli.run(
                "run",
                "--image",
                Cli.example("shapes.png"),
                "-p",
                QUESTION,
                "--prune-keep",
                "265",
                "--preset",
                "paper",
                "--output",
                "json"));
    JsonNode image = answer.path("images").path(0);
    assertThat(image.path("method").asString()).isEqualTo("topv");
    assertThat(image.path("visual_tokens").asInt()).isEqualTo(576);
    assertThat(image.path("kept")).hasSize(265);
    int last = -1;
    for (JsonNode index : image.path("kept")) {
      assertThat(index.asInt()).isGreaterThan(last).isLessThan(576);
      last = index.asInt();
    }
    assertThat(image.path("not_applied").isNull()).isTrue();
    assertThat(answer.path("finish_reason").asString()).isIn("stop", "length");
    assertThat(answer.path("timings_ms").path("selection").asDouble()).isPositive();
  }

  @Test
  void saysWhereRecoveryIsRarerThanAsked() {
    Cli run =
        Cli.run("run", "--image", Cli.example("shapes.png"), "-p", QUESTION, "--prune-keep", "64");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err())
        .contains("64 of 576 visual tokens kept")
        .contains("recover every 17: every 4 would fill more than half");
  }

  @Test
  void logprobsAreOfTheChosenTokens() {
    JsonNode answer =
        json(
            Cli.run(
                "run",
                "--image",
                Cli.example("shapes.png"),
                "-p",
                QUESTION,
                "--output",
                "json",
                "--logprobs",
                "3"));
    assertThat(answer.path("logprobs")).hasSameSizeAs(answer.path("token_ids"));
    JsonNode first = answer.path("logprobs").path(0);
    assertThat(first.path("top")).hasSize(3);
    assertThat(first.path("token_id").asInt()).isEqualTo(answer.path("token_ids").path(0).asInt());
    assertThat(first.path("logprob").asDouble())
        .isEqualTo(first.path("top").path(0).path("logprob").asDouble())
        .isNegative();
  }

  @Test
  void aMissingGpuIsOneLineThatNamesIt() {
    Cli ran = Cli.run("run", "-p", "Hi", "--device", "cuda:97");
    assertThat(ran.code()).isEqualTo(Main.FAILED);
    assertThat(ran.err().lines()).singleElement().asString().startsWith("topv: ").contains("cuda");
    assertThat(ran.out()).isEmpty();
  }

  @Test
  void devicesAreSpelledCpuOrCuda() {
    for (String device : new String[] {"gpu", "cuda:", "cuda:x", "cpu:0", ""}) {
      Cli ran = Cli.run("run", "-p", "Hi", "--device", device);
      assertThat(ran.code()).as(device).isEqualTo(Main.FAILED);
      assertThat(ran.err()).contains("device = \"" + device + "\" is unknown");
    }
    Cli threads = Cli.run("run", "-p", "Hi", "--device", "cuda", "--threads", "2");
    assertThat(threads.err()).contains("threads and isa are of the CPU");
  }

  @Test
  void rateZeroAndNoImageSayWhyNothingWasPruned() {
    JsonNode zero =
        json(
            Cli.run(
                "run",
                "--image",
                Cli.example("shapes.png"),
                "-p",
                QUESTION,
                "--prune",
                "topv",
                "--prune-rate",
                "0",
                "--output",
                "json"));
    assertThat(zero.path("images").path(0).path("not_applied").asString())
        .isEqualTo("rate 0 removes nothing");
    Cli text = Cli.run("run", "-p", "Hello", "-n", "2", "--prune", "topv");
    assertThat(text.code()).as(text.err()).isZero();
    assertThat(text.err()).contains("not applied: the prompt has no image");
  }

  @Test
  void rawPromptsNeedOnePlaceholderPerImage() {
    String image = Cli.example("shapes.png");
    Cli good =
        Cli.run(
            "run", "--raw", "-p", "USER: <image>\n" + QUESTION + " ASSISTANT:", "--image", image);
    assertThat(good.code()).as(good.err()).isZero();
    refused(
        "2 <image> placeholders but 1 image",
        "run",
        "--raw",
        "-p",
        "<image> <image> x",
        "--image",
        image);
  }

  @Test
  void badInputIsOneLine(@TempDir Path dir) throws Exception {
    String image = Cli.example("shapes.png");
    Path empty = Files.createFile(dir.resolve("empty.png"));
    Path text = Files.writeString(dir.resolve("text.jpg"), "no picture");
    refused("nope.png: no such file", "run", "-p", "x", "--image", "nope.png");
    refused("is a directory", "run", "-p", "x", "--image", dir.toString());
    refused("empty.png", "run", "-p", "x", "--image", empty.toString());
    refused("text.jpg", "run", "-p", "x", "--image", text.toString());
    refused("no such directory", "run", "-p", "x", "--model", dir.resolve("none").toString());
    refused("config.json", "run", "-p", "x", "--model", dir.toString());
    refused("prune = \"foo\"", "run", "-p", "x", "--prune", "foo");
    refused("topv-solver = \"foo\"", "run", "-p", "x", "--topv-solver", "foo");
    refused("prune-rate = 1.0", "run", "-p", "x", "--prune-rate", "1");
    refused("prune-keep = 600", "run", "-p", "x", "--image", image, "--prune-keep", "600");
    refused("prune-keep = 0", "run", "-p", "x", "--image", image, "--prune-keep", "0");
    refused(
        "topv-layer = 6",
        "run",
        "-p",
        "x",
        "--image",
        image,
        "--prune",
        "topv",
        "--topv-layer",
        "6");
    refused("topv-epsilon = 0.0", "run", "-p", "x", "--topv-epsilon", "0");
    refused("top-p = 0.0", "run", "-p", "x", "--top-p", "0");
    refused("temperature = -1", "run", "-p", "x", "--temp", "-1");
    refused("max-model-len", "run", "-p", "x", "--image", image, "--max-model-len", "100");
    refused("max-model-len = 99999", "run", "-p", "x", "--max-model-len", "99999");
    refused("dtype = \"int4\"", "run", "-p", "x", "--dtype", "int4");
    refused("cuda", "run", "-p", "x", "--device", "cuda");
    refused("device = \"tpu\"", "run", "-p", "x", "--device", "tpu");
    refused("isa", "run", "-p", "x", "--isa", "avx1024");
  }

  private static void refused(String expected, String... args) {
    Cli run = Cli.run(args);
    assertThat(run.code()).as(run.err()).isEqualTo(Main.FAILED);
    assertThat(run.err()).startsWith("topv: ").contains(expected).hasLineCount(1);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void wrongUsageIsOneLineAndExitCodeTwo() {
    for (String[] args :
        new String[][] {
          {"run"},
          {"run", "-p", "x", "--bogus"},
          {"nonsense"},
          {"run", "-p", "x", "--top-k", "many"}
        }) {
      Cli run = Cli.run(args);
      assertThat(run.code()).as(run.err()).isEqualTo(Main.USAGE);
      assertThat(run.err()).startsWith("topv: ").hasLineCount(1);
    }
  }

  @Test
  void stackTracesOnlyWhenAskedFor() {
    Cli run = Cli.run("run", "-p", "x", "--image", "nope.png", "--verbose");
    assertThat(run.code()).isEqualTo(Main.FAILED);
    assertThat(run.err()).contains("\tat io.topv.engine.ImageInput");
  }

  @Test
  void helpTeaches() {
    assertThat(Cli.run("--help").out()).contains("run", "inspect", "doctor", "Try:");
    assertThat(Cli.run("run", "--help").out()).contains("--prune-keep", "Examples:", "Exit codes");
  }

  @Test
  void equalSeedsGiveEqualAnswers() {
    String[] args = {
      "run",
      "--image",
      Cli.example("shapes.png"),
      "-p",
      "Describe the picture.",
      "--temp",
      "1.5",
      "--seed",
      "7",
      "-n",
      "12",
      "--ignore-eos",
      "--output",
      "json"
    };
    assertThat(json(Cli.run(args)).path("token_ids"))
        .isEqualTo(json(Cli.run(args)).path("token_ids"));
  }
}
