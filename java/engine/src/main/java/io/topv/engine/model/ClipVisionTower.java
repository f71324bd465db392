package io.topv.engine.model;

import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.VisionConfig;
import io.topv.engine.model.WeightLoader.Rows;
import io.topv.engine.weights.WeightNames;
import io.topv.runtime.Activation;
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
 * CLIP's vision transformer up to the last feature layer that LLaVA reads; nothing past it is
 * loaded or run.
 */
final class ClipVisionTower {

  private record Layer(
      Tensor norm1, // [C]
      Tensor norm1Bias,
      Weight qkv, // [3 C, C]
      Tensor qkvBias,
      Weight out, // [C, C]
      Tensor outBias,
      Tensor norm2,
      Tensor norm2Bias,
      Weight fc1, // [F, C]
      Tensor fc1Bias,
      Weight fc2, // [C, F]
      Tensor fc2Bias) {}

  private final VisionConfig config;
  private final LlavaConfig llava;
  private final Workspace workspace;
  private final DType dtype;
  private final Activation activation;
  private final Weight patches;
  private final Tensor cls;
  private final float[] storedPositions;
  private final Tensor positions;
  private final Tensor preNorm;
  private final Tensor preNormBias;
  private final List<Layer> layers = new ArrayList<>();

  ClipVisionTower(LlavaConfig llava, WeightNames names, WeightLoader loader, Workspace workspace) {
    this.llava = llava;
    this.config = llava.vision();
    this.workspace = workspace;
    this.dtype = loader.compute();
    this.activation = config.hiddenAct();
    int c = config.hiddenSize();
    this.patches =
        loader.patches(names.vision("embeddings.patch_embedding.weight"), c, config.patchSize());
    this.cls = loader.vector(new Rows(names.vision("embeddings.class_embedding"), c));
    this.storedPositions =
        loader.values(names.vision("embeddings.position_embedding.weight"), config.positions(), c);
    this.positions = loader.floats(storedPositions, config.positions(), c);
    this.preNorm = loader.vector(new Rows(names.vision("pre_layrnorm.weight"), c));
    this.preNormBias = loader.vector(new Rows(names.vision("pre_layrnorm.bias"), c));
    for (int i = 0; i < llava.visionLayersNeeded(); i++) {
      layers.add(load(i, names, loader));
    }
  }

  private Layer load(int i, WeightNames names, WeightLoader loader) {
    int c = config.hiddenSize();
    int f = config.intermediateSize();
    return new Layer(
        loader.vector(new Rows(names.visionLayer(i, "layer_norm1.weight"), c)),
        loader.vector(new Rows(names.visionLayer(i, "layer_norm1.bias"), c)),
        loader.matrix(c, qkv(i, names, "weight", c)),
        loader.vector(qkv(i, names, "bias", c)),
        loader.matrix(c, new Rows(names.visionLayer(i, "self_attn.out_proj.weight"), c)),
        loader.vector(new Rows(names.visionLayer(i, "self_attn.out_proj.bias"), c)),
        loader.vector(new Rows(names.visionLayer(i, "layer_norm2.weight"), c)),
        loader.vector(new Rows(names.visionLayer(i, "layer_norm2.bias"), c)),
        loader.matrix(c, new Rows(names.visionLayer(i, "mlp.fc1.weight"), f)),
        loader.vector(new Rows(names.visionLayer(i, "mlp.fc1.bias"), f)),
        loader.matrix(f, new Rows(names.visionLayer(i, "mlp.fc2.weight"), c)),
        loader.vector(new Rows(names.visionLayer(i, "mlp.fc2.bias"), c)));
  }

  private static Rows[] qkv(int i, WeightNames names, String kind, int c) {
    return new Rows[] {
      new Rows(names.visionLayer(i, "self_attn.q_proj." + kind), c),
      new Rows(names.visionLayer(i, "self_attn.k_proj." + kind), c),
      new Rows(names.visionLayer(i, "self_attn.v_proj." + kind), c)
    };
  }

  /**
   * Features of a batch of square images.
   *
   * @param pixels per image [3, side, side], normalized
   * @param side pixels, a multiple of the patch size; other than the configured one the position
   *     embedding is interpolated
   * @return [B * visual tokens, feature size]
   */
  Tensor encode(List<float[]> pixels, int side) {
    Ops ops = workspace.context().ops();
    int batch = pixels.size();
    int c = config.hiddenSize();
    int grid = side / config.patchSize();
    int rows = grid * grid + 1;
    long tokens = (long) batch * rows;
    Tensor image = workspace.tensor("vision.pixels", DType.F32, batch, 3L * side * side);
    for (int b = 0; b < batch; b++) {
      image.rows(b, 1).put(pixels.get(b));
    }
    Tensor hidden = workspace.tensor("vision.hidden", dtype, tokens, c);
    Tensor normed = workspace.tensor("vision.normed", dtype, tokens, c);
    ops.patchEmbed(
        image,
        side,
        side,
        config.patchSize(),
        patches,
        Optional.empty(),
        Optional.of(cls),
        positionsFor(grid),
        hidden);
    float eps = (float) config.layerNormEps();
    ops.layerNorm(hidden, preNorm, preNormBias, eps, hidden);

    int[] cu = new int[batch + 1];
    for (int b = 0; b <= batch; b++) {
      cu[b] = b * rows;
    }
    Tensor cuSeqlens = workspace.ints("vision.cu_seqlens", cu);
    Tensor index = workspace.ints("vision.index", featureRows(batch, rows));
    Tensor features = workspace.tensor("vision.features", dtype, index.cols(), llava.featureSize());
    collect(0, hidden, index, features);
    for (int i = 0; i < layers.size(); i++) {
      layer(layers.get(i), hidden, normed, cuSeqlens, batch, rows, eps);
      collect(i + 1, hidden, index, features);
    }
    return features;
  }

  private void layer(
      Layer layer, Tensor hidden, Tensor normed, Tensor cuSeqlens, int batch, int rows, float eps) {
    Ops ops = workspace.context().ops();
    long tokens = hidden.rows();
    int c = config.hiddenSize();
    Attention shape = Attention.of(config.heads(), config.heads(), config.headDim(), false);
    Tensor qkv = workspace.tensor("vision.qkv", dtype, tokens, 3L * c);
    Tensor inner = workspace.tensor("vision.mlp", dtype, tokens, config.intermediateSize());
    ops.layerNorm(hidden, layer.norm1(), layer.norm1Bias(), eps, normed);
    ops.gemm(normed, layer.qkv(), qkv, Epilogue.bias(Optional.of(layer.qkvBias())));
    ops.attentionPrefill(
        shape,
        new Attention.Queries(qkv.cols(0, c), cuSeqlens, batch, rows, rows),
        new Attention.Contiguous(qkv.cols(c, c), qkv.cols(2L * c, c), cuSeqlens),
        normed);
    ops.gemm(
        normed, layer.out(), hidden, Epilogue.bias(Optional.of(layer.outBias())).accumulating());
    ops.layerNorm(hidden, layer.norm2(), layer.norm2Bias(), eps, normed);
    ops.gemm(
        normed, layer.fc1(), inner, Epilogue.bias(Optional.of(layer.fc1Bias())).with(activation));
    ops.gemm(
        inner, layer.fc2(), hidden, Epilogue.bias(Optional.of(layer.fc2Bias())).accumulating());
  }

  /** Copies the hidden state {@code number} to every place among the features that asks for it. */
  private void collect(int number, Tensor hidden, Tensor index, Tensor features) {
    int c = config.hiddenSize();
    for (int i = 0; i < llava.visionFeatureLayers().size(); i++) {
      if (llava.visionFeatureLayers().get(i) == number) {
        workspace.context().ops().rowsGather(hidden, index, features.cols((long) i * c, c));
      }
    }
  }

  private int[] featureRows(int batch, int rows) {
    int skip = llava.selectStrategy() == LlavaConfig.SelectStrategy.DEFAULT ? 1 : 0;
    int[] index = new int[batch * (rows - skip)];
    int at = 0;
    for (int b = 0; b < batch; b++) {
      for (int r = skip; r < rows; r++) {
        index[at++] = b * rows + r;
      }
    }
    return index;
  }

  private Tensor positionsFor(int grid) {
    if (grid == config.grid()) {
      return positions;
    }
    int c = config.hiddenSize();
    float[] values = PositionGrid.resize(storedPositions, config.grid(), grid, c);
    return workspace.tensor("vision.positions", DType.F32, (long) grid * grid + 1, c).put(values);
  }
}
