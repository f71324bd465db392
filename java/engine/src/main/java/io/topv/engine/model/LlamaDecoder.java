package io.topv.engine.model;

import io.topv.engine.config.TextConfig;
import io.topv.engine.kv.KvCache;
import io.topv.engine.model.WeightLoader.Rows;
import io.topv.engine.weights.WeightNames;
import io.topv.runtime.Attention;
import io.topv.runtime.DType;
import io.topv.runtime.Epilogue;
import io.topv.runtime.Ops;
import io.topv.runtime.Tensor;
import io.topv.runtime.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * LLaMA's decoder: the layers and the output matrix. Packed rows of any number of sequences go
 * through it.
 */
final class LlamaDecoder {

  private record Layer(
      Tensor inputNorm, // [C]
      Weight qkv, // [(Hq + 2 Hkv) D, C]
      Optional<Tensor> qkvBias,
      Weight out, // [C, Hq D]
      Optional<Tensor> outBias,
      Tensor postNorm, // [C]
      Weight gateUp, // [2 F, C]
      Optional<Tensor> gateUpBias,
      Weight down, // [C, F]
      Optional<Tensor> downBias) {}

  /** The two streams between the halves of a layer. */
  record Streams(Tensor hidden, Tensor normed) {}

  private final TextConfig config;
  private final Workspace workspace;
  private final DType dtype;
  private final Tensor embedding; // [V, C]
  private final Tensor cosSin; // [max positions, D]
  private final List<Layer> layers = new ArrayList<>();
  private final Tensor norm; // [C]
  private final Weight head; // [V, C]
  private final Attention attention;

  LlamaDecoder(
      TextConfig config,
      WeightNames names,
      WeightLoader loader,
      Workspace workspace,
      int maxPositions) {
    this.config = config;
    this.workspace = workspace;
    this.dtype = loader.compute();
    int c = config.hiddenSize();
    this.embedding = loader.table(names.embedTokens(), config.vocabSize(), c);
    this.cosSin =
        loader.floats(RopeTable.build(config, maxPositions), maxPositions, config.headDim());
    this.norm = loader.vector(new Rows(names.decoder("norm.weight"), c));
    this.head = loader.matrix(c, new Rows(names.lmHead(), config.vocabSize()));
    this.attention = Attention.of(config.heads(), config.kvHeads(), config.headDim(), true);
    for (int i = 0; i < config.layers(); i++) {
      layers.add(load(i, names, loader));
    }
  }

  private Layer load(int i, WeightNames names, WeightLoader loader) {
    int c = config.hiddenSize();
    int q = config.heads() * config.headDim();
    int kv = config.kvHeads() * config.headDim();
    int f = config.intermediateSize();
    boolean bias = config.attentionBias();
    return new Layer(
        loader.vector(new Rows(names.layer(i, "input_layernorm.weight"), c)),
        loader.matrix(c, qkv(i, names, "weight", q, kv)),
        loader.bias(bias, qkv(i, names, "bias", q, kv)),
        loader.matrix(q, new Rows(names.layer(i, "self_attn.o_proj.weight"), c)),
        loader.bias(bias, new Rows(names.layer(i, "self_attn.o_proj.bias"), c)),
        loader.vector(new Rows(names.layer(i, "post_attention_layernorm.weight"), c)),
        loader.matrix(c, gateUp(i, names, "weight", f)),
        loader.bias(config.mlpBias(), gateUp(i, names, "bias", f)),
        loader.matrix(f, new Rows(names.layer(i, "mlp.down_proj.weight"), c)),
        loader.bias(config.mlpBias(), new Rows(names.layer(i, "mlp.down_proj.bias"), c)));
  }

  private static Rows[] qkv(int i, WeightNames names, String kind, int q, int kv) {
    return new Rows[] {
      new Rows(names.layer(i, "self_attn.q_proj." + kind), q),
      new Rows(names.layer(i, "self_attn.k_proj." + kind), kv),
      new Rows(names.layer(i, "self_attn.v_proj." + kind), kv)
    };
  }

  private static Rows[] gateUp(int i, WeightNames names, String kind, int f) {
    return new Rows[] {
      new Rows(names.layer(i, "mlp.gate_proj." + kind), f),
      new Rows(names.layer(i, "mlp.up_proj." + kind), f)
    };
  }

  int layerCount() {
    return layers.size();
  }

  /** A fresh residual stream [T, C]. */
  Tensor embed(Tensor ids) {
    Tensor hidden = workspace.tensor("hidden", dtype, ids.cols(), config.hiddenSize());
    workspace.context().ops().embed(ids, embedding, hidden);
    return hidden;
  }

  /**
   * First half of layer {@code i}: hidden += attention(norm(hidden)); then its second norm, the
   * input of the MLP.
   *
   * @param fresh the rows are all tokens of their sequences, so that the cache need not be read
   */
  Streams attend(int i, Tensor hidden, PackedRows rows, KvCache cache, boolean fresh) {
    Ops ops = workspace.context().ops();
    Layer layer = layers.get(i);
    int q = config.heads() * config.headDim();
    int kv = config.kvHeads() * config.headDim();
    float eps = (float) config.rmsNormEps();
    Tensor normed = workspace.tensor("normed", dtype, hidden.rows(), config.hiddenSize());
    Tensor qkv = workspace.tensor("qkv", dtype, hidden.rows(), q + 2L * kv);
    Tensor mixed = workspace.tensor("mixed", dtype, hidden.rows(), q);
    ops.rmsNorm(hidden, layer.inputNorm(), eps, normed);
    ops.gemm(normed, layer.qkv(), qkv, Epilogue.bias(layer.qkvBias()));
    Tensor queries = qkv.cols(0, q);
    Tensor keys = qkv.cols(q, kv);
    Tensor values = qkv.cols(q + kv, kv);
    ops.ropeAppend(
        queries,
        keys,
        values,
        cosSin,
        rows.positions(),
        cache.keys(i),
        cache.values(i),
        rows.slots());
    if (fresh) {
      ops.attentionPrefill(
          attention,
          rows.queries(queries),
          new Attention.Contiguous(keys, values, rows.cuSeqlens()),
          mixed);
    } else if (rows.maxQuery() == 1) {
      ops.attentionDecode(
          attention, rows.queries(queries), rows.pages(cache.keys(i), cache.values(i)), mixed);
    } else {
      ops.attentionPrefill(
          attention, rows.queries(queries), rows.pages(cache.keys(i), cache.values(i)), mixed);
    }
    ops.gemm(mixed, layer.out(), hidden, Epilogue.bias(layer.outBias()).accumulating());
    ops.rmsNorm(hidden, layer.postNorm(), eps, normed);
    return new Streams(hidden, normed);
  }

  /** Second half of layer {@code i}: hidden += down(silu(gate) * up). */
  void mlp(int i, Streams streams) {
    Ops ops = workspace.context().ops();
    Layer layer = layers.get(i);
    long rows = streams.hidden().rows();
    Tensor gateUp = workspace.tensor("gate_up", dtype, rows, 2L * config.intermediateSize());
    Tensor inner = workspace.tensor("inner", dtype, rows, config.intermediateSize());
    ops.gemm(streams.normed(), layer.gateUp(), gateUp, Epilogue.bias(layer.gateUpBias()));
    ops.siluMul(gateUp, inner);
    ops.gemm(inner, layer.down(), streams.hidden(), Epilogue.bias(layer.downBias()).accumulating());
  }

  /** F32 [rows, V] for the rows {@code index} of the residual stream. */
  Tensor logits(Tensor hidden, int[] index) {
    Tensor last = workspace.tensor("last", dtype, index.length, config.hiddenSize());
    workspace.context().ops().rowsGather(hidden, workspace.ints("last.index", index), last);
    Tensor logits = logitsOf(index.length);
    logits(last, logits);
    return logits;
  }

  /** Where the logits of {@code rows} rows go: F32 [rows, V]. */
  Tensor logitsOf(int rows) {
    return workspace.tensor("logits", DType.F32, rows, config.vocabSize());
  }

  /** The last norm and the output matrix; norms {@code hidden} in place. */
  void logits(Tensor hidden, Tensor logits) {
    Ops ops = workspace.context().ops();
    ops.rmsNorm(hidden, norm, (float) config.rmsNormEps(), hidden);
    ops.gemm(hidden, head, logits, Epilogue.NONE);
  }
}
