package io.topv.cli;

import io.topv.engine.sample.SamplingParams;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/** Options that say how tokens are chosen; names as in vLLM and llama.cpp. */
final class SamplingMixin {
  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      defaultValue = "256",
      description = "Most tokens to generate. Default: ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Option(
      names = {"--temperature", "--temp"},
      paramLabel = "T",
      defaultValue = "0",
      description = "0 = the best token each time. Default: ${DEFAULT-VALUE}.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Draw from the K best; 0 = all.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "Draw from the best that add up to P.")
  private double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0",
      description = "Draw from those at least P times as probable as the best.")
  private double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "1 = none.")
  private double repetitionPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "0 = none.")
  private double presencePenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "0 = none.")
  private double frequencyPenalty;

  @Option(names = "--seed", paramLabel = "SEED", description = "For a repeatable answer.")
  private Long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "The answer ends before this text. Repeatable.")
  private List<String> stop = new ArrayList<>();

  @Option(
      names = "--logprobs",
      paramLabel = "K",
      description = "With --output json: log probabilities of the chosen token and the K best.")
  private Integer logprobs;

  @Option(names = "--ignore-eos", description = "Goes on after an end-of-sequence token.")
  private boolean ignoreEos;

  SamplingParams params() {
    return new SamplingParams(
        maxTokens,
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        presencePenalty,
        frequencyPenalty,
        seed == null ? OptionalLong.empty() : OptionalLong.of(seed),
        stop,
        logprobs == null ? -1 : logprobs,
        ignoreEos);
  }
}
