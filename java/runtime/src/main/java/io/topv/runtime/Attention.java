package io.topv.runtime;

/**
 * Shape of an attention: {@code out = softmax(scale q k' + mask) v}.
 *
 * @param qHeads Hq, a multiple of {@code kvHeads}
 * @param kvHeads Hkv
 * @param headDim D, a multiple of 8, at most 256
 * @param causal the last query sees the last key, the one before it one key less
 * @param scale usually 1 / sqrt(D)
 */
public record Attention(int qHeads, int kvHeads, int headDim, boolean causal, float scale) {

  /** The usual scale 1 / sqrt(D). */
  public static Attention of(int qHeads, int kvHeads, int headDim, boolean causal) {
    return new Attention(qHeads, kvHeads, headDim, causal, (float) (1 / Math.sqrt(headDim)));
  }

  /** Where the keys and values of a batch lie. */
  public sealed interface Keys {}

  /**
   * Rows packed over the sequences.
   *
   * @param k [Tk, Hkv * D]
   * @param v [Tk, Hkv * D]
   * @param cuSeqlens I32 [B + 1]
   */
  public record Contiguous(Tensor k, Tensor v, Tensor cuSeqlens) implements Keys {}

  /**
   * Pages of a cache.
   *
   * @param k [pages * P, Hkv * D]
   * @param v [pages * P, Hkv * D]
   * @param pageSize P
   * @param blockTable I32 [B, max pages]
   * @param seqlens I32 [B]
   */
  public record Paged(Tensor k, Tensor v, int pageSize, Tensor blockTable, Tensor seqlens)
      implements Keys {}

  /**
   * The queries of a batch.
   *
   * @param q [Tq, Hq * D]
   * @param cuSeqlens I32 [B + 1]
   * @param batch B
   * @param maxQuery longest query length
   * @param maxKey longest key length
   */
  public record Queries(Tensor q, Tensor cuSeqlens, int batch, int maxQuery, int maxKey) {}
}
