package io.topv.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A context whose attention goes through the FlashAttention preset, on the emulated GPU. */
class FlashAttentionTest {
  private static final int HEADS = 4;
  private static final int HEADS_K = 2;
  private static final int DIM = 64;

  private static Context open(String provider) {
    return Context.open(
        new ContextOptions("simt", 0, 0, Optional.empty())
            .withAttention(Optional.ofNullable(provider)));
  }

  /** Three calls with the same numbers: packed, pages, and one query per sequence over pages. */
  private static List<float[]> attend(Context context) {
    Random random = new Random(3);
    float[] values = new float[32 * (HEADS + 2 * HEADS_K) * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    Attention shape = Attention.of(HEADS, HEADS_K, DIM, true);
    List<float[]> results = new ArrayList<>();
    try (DeviceBuffer rows = context.allocate(4L * values.length);
        DeviceBuffer indices = context.allocate(4 * 16);
        DeviceBuffer result = context.allocate(4L * 32 * HEADS * DIM)) {
      Tensor all = rows.tensor(DType.F32, 32, (HEADS + 2 * HEADS_K) * DIM).put(values);
      Tensor q = all.cols(0, HEADS * DIM);
      Tensor cu = indices.tensor(DType.I32, 1, 3, 0).put(new int[] {0, 5, 32});
      Tensor out = result.tensor(DType.F32, 32, HEADS * DIM);
      Attention.Queries queries = new Attention.Queries(q, cu, 2, 27, 27);
      Tensor k = all.cols(HEADS * DIM, HEADS_K * DIM);
      Tensor v = all.cols((HEADS + HEADS_K) * DIM, HEADS_K * DIM);
      context.ops().attentionPrefill(shape, queries, new Attention.Contiguous(k, v, cu), out);
      results.add(out.toFloats());

      Tensor caches = rows.tensor(DType.F32, 64, HEADS_K * DIM); // the same memory, as pages of 8
      Tensor table = indices.tensor(DType.I32, 2, 4, 16).put(new int[] {7, 2, 1, 0, 3, 4, 5, 6});
      Tensor lengths = indices.tensor(DType.I32, 1, 2, 48).put(new int[] {17, 32});
      Attention.Keys pages = new Attention.Paged(caches, caches, 8, table, lengths);
      context.ops().attentionPrefill(shape, new Attention.Queries(q, cu, 2, 27, 32), pages, out);
      results.add(out.toFloats());
      Tensor one = indices.tensor(DType.I32, 1, 3, 0).put(new int[] {0, 1, 2});
      Attention.Queries single = new Attention.Queries(q.rows(0, 2), one, 2, 1, 32);
      context.ops().attentionDecode(shape, single, pages, out.rows(0, 2));
      results.add(out.rows(0, 2).toFloats());

      table.put(new int[] {7, 2, 8, 0, 3, 4, 5, 6});
      context.ops().attentionDecode(shape, single, pages, out.rows(0, 2));
      assertThatThrownBy(context::synchronize)
          .isInstanceOf(NativeException.class)
          .hasMessageContaining("block_table[0, 2] = 8 is not in [0, 8)");
    }
    return results;
  }

  @Test
  void theProviderTopvIsTheBackendItself() {
    try (Context own = open(null);
        Context preset = open("topv")) {
      List<float[]> expected = attend(own);
      List<float[]> actual = attend(preset);
      for (int i = 0; i < expected.size(); i++) {
        assertThat(actual.get(i)).containsExactly(expected.get(i));
      }
    }
  }

  @Test
  void providersAreForGpus() {
    var options = ContextOptions.cpu(1).withAttention(Optional.of("topv"));
    assertThatThrownBy(() -> Context.open(options))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("no native streams");
    assertThatThrownBy(() -> open("triton"))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("triton");
  }
}
