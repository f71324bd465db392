package io.topv.engine.sample;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Chooses the tokens of one answer: penalties, temperature, then the cuts min-p, top-k and top-p,
 * then one draw. Equal seeds give equal answers.
 */
public final class Sampler {
  private final SamplingParams params;
  private final long seed;
  private final SplittableRandom random;
  private final Map<Integer, Integer> answered = new HashMap<>();
  private final Map<Integer, Integer> prompted = new HashMap<>();

  /** {@code prompt} counts for the repetition penalty. */
  public Sampler(SamplingParams params, int[] prompt) {
    this.params = params;
    this.seed = params.seed().orElseGet(() -> new SplittableRandom().nextLong());
    this.random = new SplittableRandom(seed);
    if (params.repetitionPenalty() != 1) {
      Arrays.stream(prompt).forEach(id -> prompted.merge(id, 1, Integer::sum));
    }
  }

  /** A chosen token, with log probabilities when they were asked for. */
  public record Choice(int token, Optional<TokenLogprobs> logprobs) {}

  /** Whether a device may draw the tokens: nothing else of the logits is needed. */
  public boolean needsNoLogits() {
    return params.logprobs() < 0
        && params.repetitionPenalty() == 1
        && params.presencePenalty() == 0
        && params.frequencyPenalty() == 0;
  }

  /**
   * What a device is to draw as an answer's token {@code index}. Its generator is not the one of
   * {@link #next}: an answer takes all its tokens from the one or from the other.
   */
  public Draw draw(int index) {
    return new Draw(params.temperature(), params.topK(), params.topP(), params.minP(), seed, index);
  }

  /** The next token; {@code logits} [V] is used up. */
  public Choice next(float[] logits) {
    float[] raw = params.logprobs() >= 0 ? logits.clone() : logits;
    penalize(logits);
    int token = params.temperature() == 0 ? argmax(logits) : draw(logits);
    answered.merge(token, 1, Integer::sum);
    return new Choice(
        token,
        params.logprobs() >= 0
            ? Optional.of(Logprobs.of(raw, token, params.logprobs()))
            : Optional.empty());
  }

  private void penalize(float[] logits) {
    if (params.repetitionPenalty() != 1) {
      Map<Integer, Integer> seen = new HashMap<>(prompted);
      seen.putAll(answered);
      float penalty = (float) params.repetitionPenalty();
      for (int id : seen.keySet()) {
        if (id >= 0 && id < logits.length) {
          logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
        }
      }
    }
    if (params.presencePenalty() != 0 || params.frequencyPenalty() != 0) {
      answered.forEach(
          (id, count) ->
              logits[id] -= (float) (params.presencePenalty() + params.frequencyPenalty() * count));
    }
  }

  /** The largest logit, ties to the lower id. */
  static int argmax(float[] logits) {
    int best = 0;
    for (int id = 1; id < logits.length; id++) {
      if (logits[id] > logits[best]) {
        best = id;
      }
    }
    return best;
  }

  private int draw(float[] logits) {
    for (int id = 0; id < logits.length; id++) {
      logits[id] /= (float) params.temperature();
    }
    boolean cut = params.topK() > 0 && params.topK() < logits.length;
    int[] ids = Logprobs.best(logits, cut ? params.topK() : logits.length);
    double best = logits[ids[0]];
    double[] weights = new double[ids.length];
    int count = 0;
    double sum = 0;
    for (int id : ids) {
      double weight = Math.exp(logits[id] - best);
      if (weight < params.minP()) {
        break;
      }
      weights[count++] = weight;
      sum += weight;
    }
    double kept = 0;
    int nucleus = 0;
    while (nucleus < count && (nucleus == 0 || kept < params.topP() * sum)) {
      kept += weights[nucleus++];
    }
    double target = random.nextDouble() * kept;
    int chosen = 0;
    for (double passed = weights[0];
        passed <= target && chosen < nucleus - 1;
        passed += weights[chosen]) {
      chosen++;
    }
    return ids[chosen];
  }
}
