package io.topv.engine.sample;

import java.util.List;

/**
 * Log probabilities at one position, of the model's distribution before penalties and temperature.
 *
 * @param logprob of the token that was chosen
 * @param top the best tokens, best first
 */
public record TokenLogprobs(int token, double logprob, List<Candidate> top) {

  /** One of the best tokens. */
  public record Candidate(int token, double logprob) {}
}
