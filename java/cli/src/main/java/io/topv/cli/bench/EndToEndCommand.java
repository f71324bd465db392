package io.topv.cli.bench;

import io.topv.cli.DeviceMixin;
import io.topv.engine.TopvException;
import io.topv.engine.prune.Budget;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code topv bench e2e}: holds a model and measures what standard input asks for, one line each,
 * one JSON object each in return. So another program can be measured in turns with it.
 */
@Command(
    name = "e2e",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures a LLaVA model stage by stage. Reads from standard input, one per line:",
      "  batch B            B copies from here on; 1 at first",
      "  vision             pixels to visual tokens",
      "  prefill [K]        prompt to first logits; with K: TopV keeps K visual tokens",
      "  decode N           N tokens after the last prefill, greedy",
      "  first [K]          pixels and prompt to first token",
      "  force FILE ID...   logits after the prompt and after each of these tokens, to a file",
      "Prints one JSON object per line; ms is wall-clock time."
    })
final class EndToEndCommand implements Callable<Integer> {
  @Option(names = "--model", paramLabel = "DIR", required = true, description = "A LLaVA model.")
  private Path model;

  @Option(
      names = "--pixels",
      paramLabel = "FILE",
      required = true,
      description = "Raw little-endian float32 [3, side, side], normalized.")
  private Path pixels;

  @Option(
      names = "--prompt",
      paramLabel = "FILE",
      required = true,
      description = "Token ids, placeholders expanded, separated by spaces.")
  private Path prompt;

  @Option(
      names = "--pool",
      paramLabel = "FILE",
      description = "Raw bfloat16 random numbers in place of the model's weights.")
  private Path pool;

  @Option(
      names = "--most",
      paramLabel = "B",
      defaultValue = "1",
      description = "The largest batch. Default: ${DEFAULT-VALUE}.")
  private int most;

  @Mixin private DeviceMixin device;

  @Override
  public Integer call() throws IOException {
    JsonMapper json = new JsonMapper();
    try (MeasuredModel measured =
            new MeasuredModel(
                model,
                Optional.ofNullable(pool),
                floats(pixels),
                ids(prompt),
                device.options(),
                most);
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.out.println(json.writeValueAsString(measured.loaded()));
      for (String line; (line = in.readLine()) != null; ) {
        System.out.println(json.writeValueAsString(answer(measured, line.trim().split(" +"))));
      }
    }
    return 0;
  }

  private static Map<String, Object> answer(MeasuredModel measured, String[] words) {
    return switch (words[0]) {
      case "batch" -> measured.batch(Integer.parseInt(words[1]));
      case "vision" -> measured.vision();
      case "prefill" -> measured.prefill(method(words));
      case "decode" -> measured.decode(Integer.parseInt(words[1]));
      case "first" -> measured.first(method(words));
      case "force" ->
          measured.force(
              Path.of(words[1]),
              Arrays.stream(words).skip(2).mapToInt(Integer::parseInt).toArray());
      default -> throw new TopvException("\"" + words[0] + "\" is no measurement; see --help");
    };
  }

  private static PruningMethod method(String[] words) {
    if (words.length == 1) {
      return new NoPruning(TopvSettings.DEFAULT.layer());
    }
    Budget budget = new Budget.Keep(Integer.parseInt(words[1]));
    return new TopvPruning(TopvSettings.DEFAULT, budget, OptionalInt.empty());
  }

  private static float[] floats(Path file) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      float[] values = new float[bytes.remaining() / Float.BYTES];
      bytes.asFloatBuffer().get(values);
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int[] ids(Path file) {
    try {
      String[] words = Files.readString(file).trim().split("\\s+");
      return Arrays.stream(words).mapToInt(Integer::parseInt).toArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
