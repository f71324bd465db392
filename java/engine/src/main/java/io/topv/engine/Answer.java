package io.topv.engine;

import io.topv.engine.sample.TokenLogprobs;
import java.util.List;
import java.util.Optional;

/**
 * What came of a request.
 *
 * @param tokenIds generated, the end-of-sequence token included
 * @param promptTokens tokens of the prompt, all visual ones included
 * @param notApplied why pruning did nothing at all, or empty
 * @param logprobs one per generated token, or empty
 */
public record Answer(
    String text,
    int[] tokenIds,
    int promptTokens,
    FinishReason finishReason,
    List<ImageReport> images,
    Optional<String> notApplied,
    Timings timings,
    List<TokenLogprobs> logprobs) {

  /** Why generation ended. */
  public enum FinishReason {
    /** An end-of-sequence token or a stop string. */
    STOP,
    /** The most tokens that were asked for, or that the model or its cache can hold. */
    LENGTH,
    /** The caller did not want more. */
    CANCELLED
  }

  /**
   * One image.
   *
   * @param visualTokens N
   * @param width tokens per row of the grid
   * @param height rows of the grid
   * @param kept ascending indices into the image's visual tokens
   * @param importance per visual token, empty where the method has none
   * @param method none, random, topv
   * @param notApplied why nothing was pruned, or empty
   */
  public record ImageReport(
      int visualTokens,
      int width,
      int height,
      int[] kept,
      float[] importance,
      String method,
      Optional<String> notApplied) {}

  /**
   * Milliseconds.
   *
   * @param image decoding, resizing, normalizing
   * @param vision vision tower and projector; 0 where the features were known
   * @param prefill the prompt through the decoder, without {@code selection}
   * @param selection choosing and gathering visual tokens
   * @param decode all tokens after the first
   * @param timeToFirstToken from the request to the first token
   * @param total from the request to the last token
   */
  public record Timings(
      double image,
      double vision,
      double prefill,
      double selection,
      double decode,
      double timeToFirstToken,
      double total) {

    /** Generated tokens per second after the first; 0 for fewer than two. */
    public double tokensPerSecond(int generated) {
      return generated < 2 || decode <= 0 ? 0 : (generated - 1) * 1e3 / decode;
    }
  }
}
