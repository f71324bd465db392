package io.topv.engine.sample;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
  private final Set<Integer> prompted = new HashSet<>();

  /** {@code prompt} counts for the repetition penalty. */
  public Sampler(SamplingParams params, int[] prompt) {
    this.params = params;
    this.seed = params.seed().orElseGet(() -> new SplittableRandom().nextLong());
    this.random = new SplittableRandom(seed);
    if (params.repetitionPenalty() != 1) {
      Arrays.stream(prompt).forEach(prompted::add);
    }
  }

  /** A chosen token, with log probabilities when they were asked for. */
  public record Choice(int token, Optional<TokenLogprobs> logprobs) {}

  /** Whether a device may draw the tokens: nothing else of the logits is needed. */
  public boolean needsNoLogits() {
    return params.logprobs() < 0;
  }

  /**
   * What a device is to draw as an answer's token {@code index}, if it {@link #needsNoLogits}. Its
   * generator is not the one of {@link #next}: an answer takes all its tokens from the one or from
   * the other.
   */
  public Draw draw(int index) {
    Penalty penalty = needsNoLogits() ? penalty() : Penalty.NONE;
    return new Draw(
        penalty, params.temperature(), params.topK(), params.topP(), params.minP(), seed, index);
  }

  /** Counts a token that a device has drawn. */
  public void drawn(int token) {
    answered.merge(token, 1, Integer::sum);
  }

  /** The next token; {@code logits} [V] is used up. */
  public Choice next(float[] logits) {
    float[] raw = params.logprobs() >= 0 ? logits.clone() : logits;
    penalty().apply(logits);
    int token = params.temperature() == 0 ? argmax(logits) : draw(logits);
    drawn(token);
    return new Choice(
        token,
        params.logprobs() >= 0
            ? Optional.of(Logprobs.of(raw, token, params.logprobs()))
            : Optional.empty());
  }

  private Penalty penalty() {
    if (params.repetitionPenalty() == 1
        && params.presencePenalty() == 0
        && params.frequencyPenalty() == 0) {
      return Penalty.NONE;
    }
    Map<Integer, Integer> times = new HashMap<>();
    prompted.forEach(id -> times.put(id, 0));
    times.putAll(answered);
    return new Penalty(
        Math.max(Float.MIN_NORMAL, (float) params.repetitionPenalty()),
        (float) params.presencePenalty(),
        (float) params.frequencyPenalty(),
        times);
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
