package io.topv.engine.model;

import io.topv.runtime.Tensor;

/** Looks at hidden states while the decoder runs: for tests and tools. */
public interface Probe {
  Probe NONE = (layer, hidden) -> {};

  /**
   * Called with the residual stream.
   *
   * @param layer 0 = the embeddings, i = the output of layer i
   * @param hidden [rows, C], valid during the call
   */
  void hidden(int layer, Tensor hidden);
}
