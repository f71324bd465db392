package io.topv.engine.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What generation_config.json asks for, or leaves open. It is the model maker's proposal; options
 * given by the user win.
 *
 * @param eosTokenIds any of them ends the answer; empty: as config.json says
 * @param doSample false means greedy, whatever the temperature
 */
public record GenerationConfig(
    List<Integer> eosTokenIds,
    OptionalInt bosTokenId,
    OptionalInt padTokenId,
    boolean doSample,
    OptionalDouble temperature,
    OptionalInt topK,
    OptionalDouble topP,
    OptionalDouble minP,
    OptionalDouble repetitionPenalty,
    OptionalInt maxNewTokens) {

  public GenerationConfig {
    eosTokenIds = List.copyOf(eosTokenIds);
  }

  /** Reads MODEL_DIR/generation_config.json; empty when there is no such file. */
  public static Optional<GenerationConfig> load(Path modelDir) {
    Path file = modelDir.resolve("generation_config.json");
    return Files.exists(file) ? Optional.of(parse(JsonObject.read(file))) : Optional.empty();
  }

  /** {@code file} is what errors call it. */
  public static GenerationConfig parse(String file, byte[] json) {
    return parse(JsonObject.parse(file, json));
  }

  private static GenerationConfig parse(JsonObject json) {
    return new GenerationConfig(
        json.integers("eos_token_id", 0, TextConfig.MAX_SIZE),
        json.integer("bos_token_id", 0, TextConfig.MAX_SIZE),
        // -1 is how some models write "none"
        json.integer("pad_token_id", -1, TextConfig.MAX_SIZE).stream()
            .filter(id -> id >= 0)
            .findFirst(),
        json.bool("do_sample", false),
        number(json, "temperature", 0, 100),
        json.integer("top_k", 0, TextConfig.MAX_SIZE),
        number(json, "top_p", 0, 1),
        number(json, "min_p", 0, 1),
        number(json, "repetition_penalty", 1e-3, 1e3),
        json.integer("max_new_tokens", 1, TextConfig.MAX_SIZE));
  }

  private static OptionalDouble number(JsonObject json, String field, double min, double max) {
    return json.has(field)
        ? OptionalDouble.of(json.number(field, 0, min, max))
        : OptionalDouble.empty();
  }
}
