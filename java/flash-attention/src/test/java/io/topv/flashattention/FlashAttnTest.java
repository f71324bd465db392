package io.topv.flashattention;

import static io.topv.flashattention.Memory.ok;
import static io.topv.flashattention.global.flash_attn.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.topv.flashattention.samples.PackedAttention;
import java.util.Random;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Provider "topv" on the emulated device against {@link Reference}. */
class FlashAttnTest {
  private static final int HEADS = 4;
  private static final int HEADS_K = 2;

  private final Random random = new Random(7);

  private float[] normal(int count, int dtype) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = Elements.round((float) random.nextGaussian(), dtype);
    }
    return values;
  }

  /**
   * Weights and results are rounded to half an ulp of the dtype, and are below 4; sums are float32.
   */
  private static double tolerance(int dtype) {
    return dtype == FLASH_ATTN_F32 ? 1e-5 : dtype == FLASH_ATTN_F16 ? 2e-3 : 1.6e-2;
  }

  private static flash_attn_varlen_params varlen(int headDim, int dtype) {
    flash_attn_varlen_params params = new flash_attn_varlen_params();
    Pointer.memset(params, 0, params.sizeof());
    return params
        .heads(HEADS)
        .heads_k(HEADS_K)
        .head_dim(headDim)
        .dtype(dtype)
        .window_left(-1)
        .window_right(-1);
  }

  private static flash_attn_kvcache_params kvcache(int headDim, int dtype) {
    flash_attn_kvcache_params params = new flash_attn_kvcache_params();
    Pointer.memset(params, 0, params.sizeof());
    return params
        .heads(HEADS)
        .heads_k(HEADS_K)
        .head_dim(headDim)
        .dtype(dtype)
        .window_left(-1)
        .window_right(-1);
  }

  private static Reference reference(int queries, int keys, int headDim) {
    Reference expected = new Reference();
    expected.queries = queries;
    expected.keys = keys;
    expected.heads = HEADS;
    expected.headsK = HEADS_K;
    expected.headDim = headDim;
    return expected;
  }

  private static Reference.Rows rows(float[] values, int first, int heads, int headDim) {
    return (token, head, d) -> values[((first + token) * heads + head) * headDim + d];
  }

  private interface Masks {
    void set(Reference expected, flash_attn_varlen_params params);
  }

  private void packed(int headDim, int dtype, int[] queries, int[] keys, Masks masks) {
    try (Memory memory = new Memory();
        flash_attn_varlen_params params = varlen(headDim, dtype)) {
      int batch = queries.length;
      int[] cuQ = new int[batch + 1];
      int[] cuK = new int[batch + 1];
      for (int b = 0; b < batch; b++) {
        cuQ[b + 1] = cuQ[b] + queries[b];
        cuK[b + 1] = cuK[b] + keys[b];
        params.max_seqlen_q(Math.max(params.max_seqlen_q(), queries[b]));
        params.max_seqlen_k(Math.max(params.max_seqlen_k(), keys[b]));
      }
      int tokens = cuQ[batch];
      float[] q = normal(tokens * HEADS * headDim, dtype);
      float[] k = normal(cuK[batch] * HEADS_K * headDim, dtype);
      float[] v = normal(cuK[batch] * HEADS_K * headDim, dtype);
      params.q(memory.put(q, dtype)).k(memory.put(k, dtype)).v(memory.put(v, dtype));
      params.out(memory.take((long) q.length * Elements.size(dtype)));
      params.softmax_lse(memory.take(4L * tokens * HEADS));
      params.cu_seqlens_q(memory.put(cuQ)).cu_seqlens_k(memory.put(cuK));
      params.batch(batch).total_q(tokens).total_k(cuK[batch]);
      masks.set(reference(0, 0, headDim), params);
      ok(flash_attn_varlen_fwd(memory.context, null, params));
      ok(flash_attn_synchronize(memory.context, null));

      float[] out = memory.get(params.out(), q.length, dtype);
      float[] lse = memory.get(params.softmax_lse(), tokens * HEADS, FLASH_ATTN_F32);
      for (int b = 0; b < batch; b++) {
        Reference expected = reference(queries[b], keys[b], headDim);
        expected.q = rows(q, cuQ[b], HEADS, headDim);
        expected.k = rows(k, cuK[b], HEADS_K, headDim);
        expected.v = rows(v, cuK[b], HEADS_K, headDim);
        masks.set(expected, params);
        expected.run();
        for (int i = 0; i < queries[b]; i++) {
          for (int h = 0; h < HEADS; h++) {
            int row = (cuQ[b] + i) * HEADS + h;
            close(out, row * headDim, expected.out[i][h], tolerance(dtype));
            close(lse[h * tokens + cuQ[b] + i], expected.lse[i][h]);
          }
        }
      }
    }
  }

  private static void close(float[] actual, int at, double[] expected, double tolerance) {
    for (int d = 0; d < expected.length; d++) {
      assertThat((double) actual[at + d]).isCloseTo(expected[d], within(tolerance));
    }
  }

  private static void close(float lse, double expected) {
    if (Double.isInfinite(expected)) {
      assertThat((double) lse).isEqualTo(expected);
    } else {
      assertThat((double) lse).isCloseTo(expected, within(1e-5));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {FLASH_ATTN_F32, FLASH_ATTN_F16, FLASH_ATTN_BF16})
  void packedSequences(int dtype) {
    int[] queries = {3, 0, 17, 1};
    int[] keys = {3, 5, 21, 0};
    packed(64, dtype, queries, keys, (expected, params) -> {});
    packed(
        40,
        dtype,
        queries,
        keys,
        (expected, params) -> {
          expected.causal = true;
          params.causal(1);
        });
    packed(128, dtype, new int[] {1, 1}, new int[] {300, 7}, (expected, params) -> {});
  }

  @Test
  void windowAndSoftcap() {
    for (int[] queries : new int[][] {{9, 33}, {1, 1}}) {
      packed(
          64,
          FLASH_ATTN_F32,
          queries,
          new int[] {20, 33},
          (expected, params) -> {
            expected.left = 4;
            expected.right = 2;
            expected.softcap = 1.5;
            params.window_left(4).window_right(2).softcap(1.5f);
          });
    }
  }

  /** The cache of a test: what it holds, and where a token lies in it. */
  private record Cache(int[] lengths, int pageSize, int[][] pages) {
    int row(int b, int token) {
      return pages[b][token / pageSize] * pageSize + token % pageSize;
    }
  }

  private void cached(
      Cache cache, boolean paged, int[] index, int seqlenQ, int dtype, int rotary, boolean causal) {
    int headDim = 64;
    int batch = cache.lengths.length;
    int blocks = 7;
    try (Memory memory = new Memory();
        flash_attn_kvcache_params params = kvcache(headDim, dtype)) {
      int kRow = HEADS_K * headDim;
      float[] kCache = normal(blocks * cache.pageSize * kRow, dtype);
      float[] vCache = normal(blocks * cache.pageSize * kRow, dtype);
      float[] q = normal(batch * seqlenQ * HEADS * headDim, dtype);
      float[] k = normal(batch * seqlenQ * kRow, dtype);
      float[] v = normal(batch * seqlenQ * kRow, dtype);
      params.q(memory.put(q, dtype)).k(memory.put(k, dtype)).v(memory.put(v, dtype));
      params.k_cache(memory.put(kCache, dtype)).v_cache(memory.put(vCache, dtype));
      params.out(memory.take((long) q.length * Elements.size(dtype)));
      params.softmax_lse(memory.take(4L * batch * seqlenQ * HEADS));
      params.cache_seqlens(memory.put(cache.lengths));
      params.batch(batch).seqlen_q(seqlenQ).seqlen_new(seqlenQ).causal(causal ? 1 : 0);
      if (paged) {
        int[] table = new int[batch * cache.pages[0].length];
        for (int b = 0; b < batch; b++) {
          System.arraycopy(
              cache.pages[b], 0, table, b * cache.pages[b].length, cache.pages[b].length);
        }
        params.block_table(memory.put(table)).page_size(cache.pageSize).blocks(blocks);
        params.max_blocks(cache.pages[0].length);
      } else {
        params.cache_batch(blocks).seqlen_cache(cache.pageSize);
        params.cache_batch_idx(index == null ? null : memory.put(index));
      }
      int positions = 64;
      float[] cos = normal(positions * 16, dtype);
      float[] sin = normal(positions * 16, dtype);
      if (rotary >= 0) {
        params.rotary_cos(memory.put(cos, dtype)).rotary_sin(memory.put(sin, dtype));
        params.rotary_dim(32).rotary_seqlen(positions).rotary_interleaved(rotary);
      }
      ok(flash_attn_with_kvcache(memory.context, null, params));
      ok(flash_attn_synchronize(memory.context, null));

      // The same on the host: append, then attend.
      for (int b = 0; b < batch; b++) {
        for (int i = 0; i < seqlenQ; i++) {
          int position = cache.lengths[b] + i;
          for (int h = 0; h < HEADS_K; h++) {
            int from = ((b * seqlenQ + i) * HEADS_K + h) * headDim;
            int to = (cache.row(b, position) * HEADS_K + h) * headDim;
            rotate(k, from, kCache, to, headDim, cos, sin, position, rotary, dtype);
            System.arraycopy(v, from, vCache, to, headDim);
          }
          for (int h = 0; h < HEADS; h++) {
            int at = ((b * seqlenQ + i) * HEADS + h) * headDim;
            int own = cache.lengths[b] + (causal ? i : 0);
            rotate(q.clone(), at, q, at, headDim, cos, sin, own, rotary, dtype);
          }
        }
      }
      float[] stored = memory.get(params.k_cache(), kCache.length, dtype);
      close(stored, 0, widen(kCache), 1e-6);
      close(memory.get(params.v_cache(), vCache.length, dtype), 0, widen(vCache), 0);
      float[] out = memory.get(params.out(), q.length, dtype);
      float[] lse = memory.get(params.softmax_lse(), batch * seqlenQ * HEADS, FLASH_ATTN_F32);
      for (int b = 0; b < batch; b++) {
        Reference expected = reference(seqlenQ, cache.lengths[b] + seqlenQ, headDim);
        int sequence = b;
        expected.causal = causal;
        expected.q = rows(q, b * seqlenQ, HEADS, headDim);
        expected.k =
            (token, head, d) -> stored[(cache.row(sequence, token) * HEADS_K + head) * headDim + d];
        expected.v =
            (token, head, d) -> vCache[(cache.row(sequence, token) * HEADS_K + head) * headDim + d];
        expected.run();
        for (int i = 0; i < seqlenQ; i++) {
          for (int h = 0; h < HEADS; h++) {
            int row = (b * seqlenQ + i) * HEADS + h;
            close(out, row * headDim, expected.out[i][h], tolerance(dtype));
            close(lse[(b * HEADS + h) * seqlenQ + i], expected.lse[i][h]);
          }
        }
      }
    }
  }

  private static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  /** Rotates the first 32 dims of a head; rotary < 0: copies. */
  private static void rotate(
      float[] from,
      int at,
      float[] to,
      int into,
      int headDim,
      float[] cos,
      float[] sin,
      int position,
      int rotary,
      int dtype) {
    System.arraycopy(from, at, to, into, headDim);
    for (int pair = 0; pair < 16 && rotary >= 0; pair++) {
      int first = rotary == 1 ? 2 * pair : pair;
      int second = rotary == 1 ? 2 * pair + 1 : pair + 16;
      float c = cos[position * 16 + pair];
      float s = sin[position * 16 + pair];
      float x = from[at + first];
      float y = from[at + second];
      to[into + first] = Elements.round(x * c - y * s, dtype);
      to[into + second] = Elements.round(y * c + x * s, dtype);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {FLASH_ATTN_F32, FLASH_ATTN_F16, FLASH_ATTN_BF16})
  void cacheOfPages(int dtype) {
    Cache cache = new Cache(new int[] {5, 0, 11}, 8, new int[][] {{3, 0}, {6, 4}, {1, 5}});
    cached(cache, true, null, 1, dtype, -1, false);
    cached(cache, true, null, 4, dtype, -1, true);
  }

  @Test
  void cachePerSequenceWithRotation() {
    Cache inOrder = new Cache(new int[] {5, 0, 27}, 32, new int[][] {{0}, {1}, {2}});
    Cache indexed = new Cache(new int[] {5, 0, 27}, 32, new int[][] {{4}, {6}, {1}});
    int[] index = {4, 6, 1};
    for (int rotary : new int[] {0, 1}) {
      cached(inOrder, false, null, 1, FLASH_ATTN_F32, rotary, true);
      cached(indexed, false, index, 5, FLASH_ATTN_F32, rotary, true);
      cached(indexed, false, index, 2, FLASH_ATTN_F32, rotary, false);
    }
  }

  @Test
  void refusesWhatTheHeaderForbids() {
    try (Memory memory = new Memory();
        flash_attn_varlen_params params = varlen(60, FLASH_ATTN_F32)) {
      refused(
          flash_attn_varlen_fwd(memory.context, null, params),
          "head_dim = 60 is not a multiple of 8");
      params.head_dim(64).heads(5);
      refused(
          flash_attn_varlen_fwd(memory.context, null, params),
          "heads = 5 is not a multiple of heads_k = 2");
      params.heads(4).batch(1).total_q(1);
      refused(flash_attn_varlen_fwd(memory.context, null, params), "cu_seqlens_k is NULL");
      refused(flash_attn_varlen_fwd(memory.context, null, null), "params is NULL");
      refused(flash_attn_varlen_fwd(null, null, params), "context is NULL");
    }
    refused(flash_attn_open("triton", (String) null, 0, new flash_attn_context()), "\"triton\"");
  }

  private static void refused(int status, String words) {
    assertThat(status).isEqualTo(FLASH_ATTN_INVALID_ARGUMENT);
    assertThat(flash_attn_error_message().getString()).contains(words);
  }

  @Test
  void reportsWhatIsWrongInDeviceMemory() {
    try (Memory memory = new Memory();
        flash_attn_kvcache_params params = kvcache(64, FLASH_ATTN_BF16)) {
      params.batch(1).seqlen_q(1).page_size(16).blocks(2).max_blocks(3);
      params.q(memory.put(normal(HEADS * 64, FLASH_ATTN_BF16), FLASH_ATTN_BF16));
      params.k_cache(memory.take(2L * 2 * 16 * HEADS_K * 64));
      params.v_cache(memory.take(2L * 2 * 16 * HEADS_K * 64));
      params.out(memory.take(2L * HEADS * 64));
      params.block_table(memory.put(0, 2, 1)).cache_seqlens(memory.put(40));
      ok(flash_attn_with_kvcache(memory.context, null, params));
      refused(
          flash_attn_synchronize(memory.context, null), "block_table[0, 1] = 2 is not in [0, 2)");
      ok(flash_attn_synchronize(memory.context, null));
      params.cache_seqlens(memory.put(49));
      ok(flash_attn_with_kvcache(memory.context, null, params));
      refused(
          flash_attn_synchronize(memory.context, null), "cache_seqlens[0] = 49 is not in [0, 48]");
    }
  }

  @Test
  void tellsWhereItLookedForALibrary() {
    flash_attn_context context = new flash_attn_context();
    for (String provider : new String[] {"topv", "torch", "cudnn"}) {
      int status = flash_attn_open(provider, "/no/such/directory/lib.so", 0, context);
      assertThat(status).isEqualTo(FLASH_ATTN_LIBRARY_NOT_FOUND);
      assertThat(flash_attn_error_message().getString()).contains("/no/such/directory/lib.so");
    }
    assertThat(flash_attn_open("other", (String) null, 0, context))
        .isEqualTo(FLASH_ATTN_INVALID_ARGUMENT);
  }

  @Test
  void theSampleRuns() {
    PackedAttention.main(new String[0]);
  }
}
