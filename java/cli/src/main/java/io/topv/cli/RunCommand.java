package io.topv.cli;

import io.topv.engine.Answer;
import io.topv.engine.Engine;
import io.topv.engine.ImageInput;
import io.topv.engine.Request;
import io.topv.engine.TopvException;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.sample.SamplingParams;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code topv run}: images and a question to an answer. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Answers a question about images.",
      "The answer goes to standard output as it grows, a short report to standard error."
    },
    footer = {
      "",
      "Examples:",
      "  topv run --image docs/examples/shapes.png --prompt \"How many circles are there?\"",
      "  topv run --image a.png --prompt \"What is here?\" --prune topv --prune-keep 265",
      "  topv run --image a.png --image b.jpg --raw --prompt \"USER: <image> <image> Differences? ASSISTANT:\"",
      "  topv run --prompt \"Hello\" --model /models/TinyLlama --temperature 0.7 --seed 1",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."
    })
final class RunCommand implements Callable<Integer> {
  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "JPEG, PNG, WebP, GIF or BMP. Repeatable.")
  private List<Path> images = new ArrayList<>();

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      required = true,
      description = "The question. The model's chat template is applied.")
  private String prompt;

  @Option(
      names = "--raw",
      description =
          "Passes the prompt as it is, with one <image> per image, without a chat template.")
  private boolean raw;

  @Option(
      names = "--output",
      paramLabel = "text|json",
      defaultValue = "text",
      description =
          "json: one object with text, token_ids, images, timings_ms. Default: ${DEFAULT-VALUE}.")
  private String output;

  @Mixin private EngineMixin engine;
  @Mixin private PruneMixin prune;
  @Mixin private SamplingMixin sampling;

  @Option(names = "--quiet", description = "No report.")
  private boolean quiet;

  @Mixin private Verbose verbose;

  @Override
  public Integer call() {
    if (!output.equals("text") && !output.equals("json")) {
      throw new TopvException("output = \"" + output + "\" is unknown; expected text or json");
    }
    PruningMethod method = prune.method();
    SamplingParams params = sampling.params();
    List<ImageInput> inputs = images.stream().map(ImageInput::of).toList();
    Request request = new Request(prompt, inputs, raw, method, params, OptionalInt.empty());
    boolean stream = output.equals("text");
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Consumer<String> show = new StreamedText(out);
    try (Interrupt interrupt = new Interrupt();
        Engine loaded = engine.load(method.layer(), 1)) {
      Answer answer =
          loaded.generate(
              request,
              text -> {
                if (stream) {
                  show.accept(text);
                }
                return !interrupt.wanted();
              });
      out.println(stream ? "" : AnswerJson.of(answer));
      if (stream && !quiet) {
        System.err.print(RunReport.of(answer, method, loaded));
      }
    }
    return 0;
  }
}
