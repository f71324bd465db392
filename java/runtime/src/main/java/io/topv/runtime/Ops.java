package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import io.topv.runtime.ffi.topv_attention_params;
import io.topv.runtime.ffi.topv_embed_params;
import io.topv.runtime.ffi.topv_gelu_params;
import io.topv.runtime.ffi.topv_gemm_params;
import io.topv.runtime.ffi.topv_kv_append_params;
import io.topv.runtime.ffi.topv_kv_gather_params;
import io.topv.runtime.ffi.topv_layer_norm_params;
import io.topv.runtime.ffi.topv_patch_embed_params;
import io.topv.runtime.ffi.topv_penalize_params;
import io.topv.runtime.ffi.topv_rms_norm_params;
import io.topv.runtime.ffi.topv_rope_append_params;
import io.topv.runtime.ffi.topv_rope_params;
import io.topv.runtime.ffi.topv_rows_gather_params;
import io.topv.runtime.ffi.topv_sample_params;
import io.topv.runtime.ffi.topv_silu_mul_params;
import io.topv.runtime.ffi.topv_sinkhorn_params;
import io.topv.runtime.ffi.topv_token_select_params;
import io.topv.runtime.ffi.topv_transport_cost_params;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * The operations of the contract, one method per stem; shapes and meaning are in {@code topv.h}. A
 * refused call throws {@link NativeException} and has written nothing. The params structs are made
 * once and reused, so a call allocates nothing but a few words on the heap.
 */
public final class Ops {
  private final Context context;
  private final topv_gemm_params gemm = new topv_gemm_params();
  private final topv_rms_norm_params rmsNorm = new topv_rms_norm_params();
  private final topv_layer_norm_params layerNorm = new topv_layer_norm_params();
  private final topv_silu_mul_params siluMul = new topv_silu_mul_params();
  private final topv_gelu_params gelu = new topv_gelu_params();
  private final topv_rope_params rope = new topv_rope_params();
  private final topv_embed_params embed = new topv_embed_params();
  private final topv_patch_embed_params patchEmbed = new topv_patch_embed_params();
  private final topv_rows_gather_params rowsGather = new topv_rows_gather_params();
  private final topv_kv_append_params kvAppend = new topv_kv_append_params();
  private final topv_rope_append_params ropeAppend = new topv_rope_append_params();
  private final topv_kv_gather_params kvGather = new topv_kv_gather_params();
  private final topv_attention_params attention = new topv_attention_params();
  private final topv_penalize_params penalize = new topv_penalize_params();
  private final topv_sample_params sample = new topv_sample_params();
  private final topv_transport_cost_params transportCost = new topv_transport_cost_params();
  private final topv_sinkhorn_params sinkhorn = new topv_sinkhorn_params();
  private final topv_token_select_params tokenSelect = new topv_token_select_params();

  Ops(Context context) {
    this.context = context;
  }

  void close() {
    for (Pointer params :
        List.of(
            gemm,
            rmsNorm,
            layerNorm,
            siluMul,
            gelu,
            rope,
            embed,
            patchEmbed,
            rowsGather,
            kvAppend,
            ropeAppend,
            kvGather,
            attention,
            penalize,
            sample,
            transportCost,
            sinkhorn,
            tokenSelect)) {
      params.close();
    }
  }

  /** {@code c = epilogue(a w')}; a [m, k] of the weight's compute dtype, c [m, n]. */
  public void gemm(Tensor a, Weight w, Tensor c, Epilogue epilogue) {
    require(a.cols() == w.k() && c.cols() == w.n() && a.rows() == c.rows(), "gemm", a, c);
    require(a.dtype() == w.compute(), "gemm: a must have the weight's compute dtype", a, c);
    gemm.a(a.pointer()).w(w.handle()).bias(pointer(epilogue.bias())).c(c.pointer());
    gemm.m(a.rows()).lda(a.stride()).ldc(c.stride()).c_dtype(c.dtype().code());
    gemm.activation(epilogue.activation().code()).accumulate(epilogue.accumulate() ? 1 : 0);
    context.check(topv.topv_gemm(context.handle(), context.stream(), gemm));
  }

  /** {@code y = x / rms(x) * weight} per row. */
  public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y) {
    require(same(x, y) && weight.cols() == x.cols(), "rms_norm", x, y);
    rmsNorm.x(x.pointer()).weight(weight.pointer()).y(y.pointer()).rows(x.rows()).cols(x.cols());
    rmsNorm.ldx(x.stride()).ldy(y.stride()).eps(eps).dtype(x.dtype().code());
    context.check(topv.topv_rms_norm(context.handle(), context.stream(), rmsNorm));
  }

  /** {@code y = (x - mean) / std * weight + bias} per row. */
  public void layerNorm(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y) {
    require(same(x, y) && weight.cols() == x.cols(), "layer_norm", x, y);
    layerNorm.x(x.pointer()).weight(weight.pointer()).bias(bias.pointer()).y(y.pointer());
    layerNorm.rows(x.rows()).cols(x.cols()).ldx(x.stride()).ldy(y.stride());
    layerNorm.eps(eps).dtype(x.dtype().code());
    context.check(topv.topv_layer_norm(context.handle(), context.stream(), layerNorm));
  }

  /** {@code y = silu(left half of x) * right half of x}; x [rows, 2 cols], y [rows, cols]. */
  public void siluMul(Tensor x, Tensor y) {
    require(x.cols() == 2 * y.cols() && x.rows() == y.rows(), "silu_mul", x, y);
    siluMul.x(x.pointer()).y(y.pointer()).rows(y.rows()).cols(y.cols());
    siluMul.ldx(x.stride()).ldy(y.stride()).dtype(x.dtype().code());
    context.check(topv.topv_silu_mul(context.handle(), context.stream(), siluMul));
  }

  /** {@code y = activation(x)} elementwise. */
  public void gelu(Tensor x, Activation activation, Tensor y) {
    require(same(x, y), "gelu", x, y);
    gelu.x(x.pointer()).y(y.pointer()).rows(x.rows()).cols(x.cols()).ldx(x.stride());
    gelu.ldy(y.stride()).activation(activation.code()).dtype(x.dtype().code());
    context.check(topv.topv_gelu(context.handle(), context.stream(), gelu));
  }

  /**
   * Rotates {@code x} in place.
   *
   * @param x [T, heads * D]
   * @param cosSin F32 [max positions, D]
   * @param positions I32 [T]
   */
  public void rope(Tensor x, Tensor cosSin, Tensor positions, int heads) {
    require(x.cols() == heads * cosSin.cols(), "rope", x, cosSin);
    rope.x(x.pointer()).cos_sin(cosSin.pointer()).positions(positions.pointer());
    rope.tokens(x.rows()).ldx(x.stride()).max_positions(cosSin.rows()).heads(heads);
    rope.head_dim((int) cosSin.cols()).dtype(x.dtype().code());
    context.check(topv.topv_rope(context.handle(), context.stream(), rope));
  }

  /** {@code y[t] = table[ids[t]]}. */
  public void embed(Tensor ids, Tensor table, Tensor y) {
    require(table.cols() == y.cols() && table.stride() == table.cols(), "embed", table, y);
    embed.ids(ids.pointer()).table(table.pointer()).y(y.pointer()).tokens(y.rows());
    embed.vocab(table.rows()).cols(y.cols()).ldy(y.stride());
    embed.table_dtype(table.dtype().code()).dtype(y.dtype().code());
    context.check(topv.topv_embed(context.handle(), context.stream(), embed));
  }

  /**
   * ViT patch embedding with class embedding and positions.
   *
   * @param pixels F32 [B, 3 * height * width]
   * @param position F32 [rows per image, C]
   * @param y [B * rows per image, C]
   */
  public void patchEmbed(
      Tensor pixels,
      int height,
      int width,
      int patch,
      Weight w,
      Optional<Tensor> bias,
      Optional<Tensor> cls,
      Tensor position,
      Tensor y) {
    require(pixels.cols() == 3L * height * width && y.cols() == w.n(), "patch_embed", pixels, y);
    patchEmbed.pixels(pixels.pointer()).w(w.handle()).bias(pointer(bias)).cls(pointer(cls));
    patchEmbed.position_embedding(position.pointer()).y(y.pointer()).batch((int) pixels.rows());
    patchEmbed.height(height).width(width).patch(patch).dtype(y.dtype().code());
    context.check(topv.topv_patch_embed(context.handle(), context.stream(), patchEmbed));
  }

  /** {@code dst[i] = src[index[i]]}. */
  public void rowsGather(Tensor src, Tensor index, Tensor dst) {
    require(src.cols() == dst.cols() && src.dtype() == dst.dtype(), "rows_gather", src, dst);
    int bytes = src.dtype().bytes();
    rowsGather.src(src.pointer()).dst(dst.pointer()).index(index.pointer()).count(dst.rows());
    rowsGather.src_rows(src.rows()).row_bytes(src.cols() * bytes);
    rowsGather.src_stride_bytes(src.stride() * bytes).dst_stride_bytes(dst.stride() * bytes);
    context.check(topv.topv_rows_gather(context.handle(), context.stream(), rowsGather));
  }

  /**
   * Writes keys and values into the pages of one layer.
   *
   * @param k [T, Hkv * D]
   * @param kCache [slots, Hkv * D]
   * @param slots I32 [T], -1 writes nothing
   */
  public void kvAppend(
      Tensor k, Tensor v, Tensor kCache, Tensor vCache, Tensor slots, int kvHeads) {
    require(k.cols() == kCache.cols() && same(k, v), "kv_append", k, kCache);
    kvAppend.k(k.pointer()).v(v.pointer()).k_cache(kCache.pointer()).v_cache(vCache.pointer());
    kvAppend.slots(slots.pointer()).tokens(k.rows()).ldk(k.stride()).ldv(v.stride());
    kvAppend.cache_slots(kCache.rows()).kv_heads(kvHeads);
    kvAppend.head_dim((int) (k.cols() / kvHeads)).dtype(k.dtype().code());
    context.check(topv.topv_kv_append(context.handle(), context.stream(), kvAppend));
  }

  /**
   * {@link #rope} of q and k, then {@link #kvAppend} of k and v, in one pass and with the same
   * bits.
   *
   * @param q [T, Hq * D]
   * @param k [T, Hkv * D]
   * @param cosSin F32 [max positions, D]
   * @param positions I32 [T]
   * @param kCache [slots, Hkv * D]
   * @param slots I32 [T], -1 writes nothing
   */
  public void ropeAppend(
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor cosSin,
      Tensor positions,
      Tensor kCache,
      Tensor vCache,
      Tensor slots) {
    require(k.cols() == kCache.cols() && same(k, v), "rope_append", k, kCache);
    require(q.rows() == k.rows() && q.cols() % cosSin.cols() == 0, "rope_append", q, k);
    require(k.cols() % cosSin.cols() == 0, "rope_append", k, cosSin);
    ropeAppend.q(q.pointer()).k(k.pointer()).v(v.pointer()).cos_sin(cosSin.pointer());
    ropeAppend.positions(positions.pointer()).k_cache(kCache.pointer()).v_cache(vCache.pointer());
    ropeAppend.slots(slots.pointer()).tokens(k.rows()).ldq(q.stride()).ldk(k.stride());
    ropeAppend.ldv(v.stride()).max_positions(cosSin.rows()).cache_slots(kCache.rows());
    ropeAppend.q_heads((int) (q.cols() / cosSin.cols()));
    ropeAppend.kv_heads((int) (k.cols() / cosSin.cols())).head_dim((int) cosSin.cols());
    ropeAppend.dtype(q.dtype().code());
    context.check(topv.topv_rope_append(context.handle(), context.stream(), ropeAppend));
  }

  /** Moves the rows {@code from} to the rows {@code to} in the caches of several layers. */
  public void kvGather(
      List<Tensor> kCaches, List<Tensor> vCaches, Tensor from, Tensor to, int kvHeads) {
    Tensor cache = kCaches.get(0);
    int layers = kCaches.size();
    try (PointerPointer<Pointer> k = new PointerPointer<>(layers);
        PointerPointer<Pointer> v = new PointerPointer<>(layers)) {
      for (int layer = 0; layer < layers; layer++) {
        k.put(layer, kCaches.get(layer).pointer());
        v.put(layer, vCaches.get(layer).pointer());
      }
      kvGather.k_caches(k).v_caches(v).src_slots(from.pointer()).dst_slots(to.pointer());
      kvGather.count(from.cols()).cache_slots(cache.rows()).layer_count(layers).kv_heads(kvHeads);
      kvGather.head_dim((int) (cache.cols() / kvHeads)).dtype(cache.dtype().code());
      context.check(topv.topv_kv_gather(context.handle(), context.stream(), kvGather));
    }
  }

  /** Attention of any number of queries per sequence; out [Tq, Hq * D]. */
  public void attentionPrefill(
      Attention shape, Attention.Queries queries, Attention.Keys keys, Tensor out) {
    if (context.attention() != null) {
      context.attention().run(shape, queries, keys, out);
      return;
    }
    fill(shape, queries, keys, out);
    context.check(topv.topv_attention_prefill(context.handle(), context.stream(), attention));
  }

  /** Attention of exactly one query per sequence; out [B, Hq * D]. */
  public void attentionDecode(
      Attention shape, Attention.Queries queries, Attention.Keys keys, Tensor out) {
    if (context.attention() != null) {
      context.attention().run(shape, queries, keys, out);
      return;
    }
    fill(shape, queries, keys, out);
    context.check(topv.topv_attention_decode(context.handle(), context.stream(), attention));
  }

  private void fill(Attention shape, Attention.Queries queries, Attention.Keys keys, Tensor out) {
    Tensor q = queries.q();
    require(
        q.cols() == (long) shape.qHeads() * shape.headDim() && same(q, out), "attention", q, out);
    attention.q(q.pointer()).out(out.pointer()).lse(null).ldq(q.stride()).ldo(out.stride());
    attention.cu_seqlens_q(queries.cuSeqlens().pointer()).batch(queries.batch());
    attention.max_seqlen_q(queries.maxQuery()).max_seqlen_k(queries.maxKey());
    attention.q_heads(shape.qHeads()).kv_heads(shape.kvHeads()).head_dim(shape.headDim());
    attention.causal(shape.causal() ? 1 : 0).scale(shape.scale()).dtype(q.dtype().code());
    if (keys instanceof Attention.Contiguous rows) {
      attention.k(rows.k().pointer()).v(rows.v().pointer());
      attention.ldk(rows.k().stride()).ldv(rows.v().stride());
      attention.cu_seqlens_k(rows.cuSeqlens().pointer()).seqlens_k(null).block_table(null);
      attention.page_size(0).max_pages(0).page_count(0);
    } else if (keys instanceof Attention.Paged pages) {
      attention.k(pages.k().pointer()).v(pages.v().pointer()).ldk(0).ldv(0).cu_seqlens_k(null);
      attention.seqlens_k(pages.seqlens().pointer()).block_table(pages.blockTable().pointer());
      attention.page_size(pages.pageSize()).max_pages((int) pages.blockTable().cols());
      attention.page_count((int) (pages.k().rows() / pages.pageSize()));
    }
  }

  /**
   * Penalties on tokens that have been seen, in place.
   *
   * @param logits F32 [B, V]
   */
  public void penalize(Tensor logits, Penalties penalties) {
    Tensor repetition = penalties.repetition();
    require(repetition.cols() == logits.rows(), "penalize", logits, repetition);
    penalize.logits(logits.pointer()).rows(penalties.rows().pointer());
    penalize.ids(penalties.ids().pointer()).times(penalties.times().pointer());
    penalize.repetition(repetition.pointer()).presence(penalties.presence().pointer());
    penalize.frequency(penalties.frequency().pointer()).count(penalties.ids().cols());
    penalize.batch(logits.rows()).vocab(logits.cols()).ldl(logits.stride());
    context.check(topv.topv_penalize(context.handle(), context.stream(), penalize));
  }

  /**
   * The next token of every row of logits.
   *
   * @param logits F32 [B, V]
   * @param tokens I32 [1, B]
   * @param logprob F32 [1, B]: log probability of each token by the logits alone; empty = not
   *     wanted
   */
  public void sample(Tensor logits, Sampling settings, Tensor tokens, Optional<Tensor> logprob) {
    require(logits.rows() == tokens.cols() && tokens.rows() == 1, "sample", logits, tokens);
    sample.logits(logits.pointer()).temperature(pointer(settings.temperature()));
    sample.top_k(pointer(settings.topK())).top_p(pointer(settings.topP()));
    sample.min_p(pointer(settings.minP())).seed(pointer(settings.seed()));
    sample.counter(pointer(settings.counter())).tokens(tokens.pointer()).logprob(pointer(logprob));
    sample.batch(logits.rows()).vocab(logits.cols()).ldl(logits.stride());
    context.check(topv.topv_sample(context.handle(), context.stream(), sample));
  }

  /**
   * TopV's cost matrices of a batch of images.
   *
   * @param source rows that enter the pruning layer
   * @param target rows of the same layer's second norm
   * @param rowIndex I32 [sum N]: row of each visual token
   * @param grids width and height per image
   * @param cost F32 [1, sum N^2]
   * @param sourceNorm F32 [1, sum N]
   * @param targetNorm F32 [1, sum N]
   */
  public void transportCost(
      Tensor source,
      Tensor target,
      Tensor rowIndex,
      int[][] grids,
      TransportCost params,
      Tensor cost,
      Tensor sourceNorm,
      Tensor targetNorm) {
    require(source.cols() == target.cols(), "transport_cost", source, target);
    try (IntPointer width = new IntPointer(grids.length);
        IntPointer height = new IntPointer(grids.length)) {
      for (int i = 0; i < grids.length; i++) {
        width.put(i, grids[i][0]);
        height.put(i, grids[i][1]);
      }
      transportCost.source(source.pointer()).target(target.pointer());
      transportCost.row_index(rowIndex.pointer()).grid_w(width).grid_h(height);
      transportCost.cost(cost.pointer()).source_norm(sourceNorm.pointer());
      transportCost.target_norm(targetNorm.pointer()).ld_source(source.stride());
      transportCost.ld_target(target.stride()).rows(source.rows()).cols(source.cols());
      transportCost.images(grids.length).alpha(params.alpha()).beta(params.beta());
      transportCost.gamma(params.gamma()).sigma(params.sigma()).dtype(source.dtype().code());
      context.check(topv.topv_transport_cost(context.handle(), context.stream(), transportCost));
    }
  }

  /**
   * Importance of each source token.
   *
   * @param sourceWeight p before scaling; empty = uniform
   * @param targetWeight q before scaling; empty = uniform
   * @param tokens N per image
   * @param importance F32 [1, sum N]
   */
  public void sinkhorn(
      Tensor cost,
      Optional<Tensor> sourceWeight,
      Optional<Tensor> targetWeight,
      int[] tokens,
      Sinkhorn params,
      Tensor importance) {
    try (IntPointer counts = new IntPointer(tokens)) {
      sinkhorn.cost(cost.pointer()).source_weight(pointer(sourceWeight));
      sinkhorn.target_weight(pointer(targetWeight)).tokens(counts);
      sinkhorn.importance(importance.pointer()).images(tokens.length);
      sinkhorn.iterations(params.iterations()).solver(params.solver().code());
      sinkhorn.epsilon(params.epsilon()).lambda(params.lambda());
      context.check(topv.topv_sinkhorn(context.handle(), context.stream(), sinkhorn));
    }
  }

  /**
   * The kept tokens of each image, ascending.
   *
   * @param importance F32 [1, sum N]
   * @param top tokens kept by importance, per image
   * @param recoverEvery every how-manieth of the others comes back; 0 = none
   * @param kept I32 [1, sum K]
   */
  public void tokenSelect(
      Tensor importance, int[] tokens, int[] top, int recoverEvery, Tensor kept) {
    try (IntPointer counts = new IntPointer(tokens);
        IntPointer tops = new IntPointer(top)) {
      tokenSelect.importance(importance.pointer()).tokens(counts).top(tops);
      tokenSelect.kept(kept.pointer()).images(tokens.length).recover_every(recoverEvery);
      context.check(topv.topv_token_select(context.handle(), context.stream(), tokenSelect));
    }
  }

  private static Pointer pointer(Optional<Tensor> tensor) {
    return tensor.map(Tensor::pointer).orElse(null);
  }

  private static boolean same(Tensor x, Tensor y) {
    return x.rows() == y.rows() && x.cols() == y.cols() && x.dtype() == y.dtype();
  }

  private static void require(boolean condition, String op, Tensor x, Tensor y) {
    if (!condition) {
      throw new IllegalArgumentException(op + ": shapes " + x + " and " + y + " do not fit");
    }
  }
}
