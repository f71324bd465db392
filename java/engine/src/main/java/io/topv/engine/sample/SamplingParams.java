package io.topv.engine.sample;

import io.topv.engine.TopvException;
import java.util.List;
import java.util.OptionalLong;

/**
 * How the next token is chosen. Names, ranges and order of application are vLLM's.
 *
 * @param maxTokens most tokens to generate
 * @param temperature 0 = greedy
 * @param topK 0 = all
 * @param topP smallest set of tokens whose probabilities reach this sum; 1 = all
 * @param minP least probability, relative to the best token's; 0 = all
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens seen in prompt
 *     or answer; 1 = none
 * @param presencePenalty subtracted from logits of tokens in the answer
 * @param frequencyPenalty subtracted once per occurrence in the answer
 * @param seed for a repeatable answer
 * @param stop the answer ends before any of these
 * @param logprobs how many of the best tokens to report at each position; -1 = no log probabilities
 * @param ignoreEos goes on after an end-of-sequence token
 */
public record SamplingParams(
    int maxTokens,
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    double presencePenalty,
    double frequencyPenalty,
    OptionalLong seed,
    List<String> stop,
    int logprobs,
    boolean ignoreEos) {

  public static final int MAX_LOGPROBS = 1024;

  public SamplingParams {
    within("max-tokens", maxTokens, 1, Integer.MAX_VALUE);
    within("temperature", temperature, 0, 1e6);
    within("top-k", topK, 0, Integer.MAX_VALUE);
    if (!(topP > 0 && topP <= 1)) {
      throw new TopvException("top-p = " + topP + " is not in (0, 1]");
    }
    within("min-p", minP, 0, 1);
    if (!(repetitionPenalty > 0 && repetitionPenalty < 1e6)) {
      throw new TopvException("repetition-penalty = " + repetitionPenalty + " is not above 0");
    }
    within("presence-penalty", presencePenalty, -2, 2);
    within("frequency-penalty", frequencyPenalty, -2, 2);
    within("logprobs", logprobs, -1, MAX_LOGPROBS);
    stop = List.copyOf(stop);
  }

  /** Greedy, without penalties. */
  public static SamplingParams greedy(int maxTokens) {
    return new SamplingParams(
        maxTokens, 0, 0, 1, 0, 1, 0, 0, OptionalLong.empty(), List.of(), -1, false);
  }

  private static void within(String name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new TopvException(
          "%s = %s is not in [%s, %s]".formatted(name, text(value), text(least), text(most)));
    }
  }

  private static String text(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
