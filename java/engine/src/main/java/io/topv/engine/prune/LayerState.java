package io.topv.engine.prune;

import io.topv.runtime.Context;
import io.topv.runtime.Tensor;

/**
 * What a method may look at: the rows of one sequence at the pruning layer.
 *
 * @param scratch memory for its work and its answer
 * @param source [T, C] residual stream that enters the layer
 * @param target [T, C] the layer's second norm, the input of its MLP
 */
public record LayerState(Context context, Scratch scratch, Tensor source, Tensor target) {}
