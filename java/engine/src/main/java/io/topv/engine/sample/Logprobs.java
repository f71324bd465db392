package io.topv.engine.sample;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Log probabilities out of logits. */
final class Logprobs {
  private Logprobs() {}

  static TokenLogprobs of(float[] logits, int token, int count) {
    double normalizer = logSumExp(logits);
    List<TokenLogprobs.Candidate> top = new ArrayList<>();
    for (int id : best(logits, count)) {
      top.add(new TokenLogprobs.Candidate(id, logits[id] - normalizer));
    }
    return new TokenLogprobs(token, logits[token] - normalizer, top);
  }

  static double logSumExp(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }

  /** The {@code count} tokens of largest logit, best first, ties to the lower id. */
  static int[] best(float[] logits, int count) {
    // worst of the kept ones on top
    Comparator<Integer> worstFirst =
        Comparator.<Integer>comparingDouble(id -> logits[id])
            .thenComparing(Comparator.reverseOrder());
    PriorityQueue<Integer> kept = new PriorityQueue<>(Math.max(1, count), worstFirst);
    for (int id = 0; id < logits.length; id++) {
      if (kept.size() < count) {
        kept.add(id);
      } else if (count > 0 && logits[id] > logits[kept.peek()]) {
        kept.poll();
        kept.add(id);
      }
    }
    int[] best = new int[kept.size()];
    for (int i = best.length - 1; i >= 0; i--) {
      best[i] = kept.poll();
    }
    return best;
  }
}
