package io.topv.runtime;

import java.util.Optional;

/**
 * How {@link Ops#sample} chooses the token of each row; in device memory, so that a captured step
 * may be repeated with other values.
 *
 * @param temperature F32 [1, B]; 0 or empty = greedy
 * @param topK I32 [1, B]; 0 or empty = all
 * @param topP F32 [1, B] in (0, 1]; 1 or empty = all
 * @param minP F32 [1, B] in [0, 1]; 0 or empty = all
 * @param seed I32 [B, 2]: the two words of the generator's key, low first; empty = 0
 * @param counter I32 [B, 2]: which number of that generator is drawn; empty = 0
 */
public record Sampling(
    Optional<Tensor> temperature,
    Optional<Tensor> topK,
    Optional<Tensor> topP,
    Optional<Tensor> minP,
    Optional<Tensor> seed,
    Optional<Tensor> counter) {

  /** The most likely token of every row. */
  public static final Sampling GREEDY =
      new Sampling(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
}
