package io.topv.engine.model;

import io.topv.engine.config.LlavaConfig;
import io.topv.engine.model.WeightLoader.Rows;
import io.topv.engine.weights.WeightNames;
import io.topv.runtime.Activation;
import io.topv.runtime.Epilogue;
import io.topv.runtime.Ops;
import io.topv.runtime.Tensor;
import io.topv.runtime.Weight;
import java.util.Optional;

/** LLaVA-1.5's projector: linear, activation, linear. */
final class Projector {
  private final Workspace workspace;
  private final Activation activation;
  private final Weight linear1; // [C, feature size]
  private final Optional<Tensor> bias1;
  private final Weight linear2; // [C, C]
  private final Optional<Tensor> bias2;

  Projector(LlavaConfig config, WeightNames names, WeightLoader loader, Workspace workspace) {
    this.workspace = workspace;
    this.activation = config.projectorHiddenAct();
    int c = config.text().hiddenSize();
    boolean bias = config.multimodalProjectorBias();
    this.linear1 =
        loader.matrix(config.featureSize(), new Rows(names.projector("linear_1.weight"), c));
    this.bias1 = loader.bias(bias, new Rows(names.projector("linear_1.bias"), c));
    this.linear2 = loader.matrix(c, new Rows(names.projector("linear_2.weight"), c));
    this.bias2 = loader.bias(bias, new Rows(names.projector("linear_2.bias"), c));
  }

  /** [rows, feature size] to [rows, C] of the decoder. */
  void project(Tensor features, Tensor out) {
    Ops ops = workspace.context().ops();
    Tensor inner = workspace.tensor("projector", features.dtype(), features.rows(), linear1.n());
    ops.gemm(features, linear1, inner, Epilogue.bias(bias1).with(activation));
    ops.gemm(inner, linear2, out, Epilogue.bias(bias2));
  }
}
