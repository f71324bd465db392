package io.topv.engine;

import io.topv.engine.image.ImageLimits;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How an engine is set up.
 *
 * @param device which device, how many threads
 * @param dtype F32 or BF16; empty = BF16 where the weights are 16-bit and the CPU multiplies BF16,
 *     else F32
 * @param maxModelLen longest prompt and answer together, in tokens; empty = the model's own, at
 *     most 4096
 * @param pruneLayer decoder layers that see every token: the caches are split there
 * @param maxSequences most sequences that run at once
 * @param imageLimits what an image may cost
 */
public record EngineOptions(
    ContextOptions device,
    Optional<DType> dtype,
    OptionalInt maxModelLen,
    int pruneLayer,
    int maxSequences,
    ImageLimits imageLimits) {

  /** One sequence on the CPU, all cores. */
  public static EngineOptions defaults() {
    return new EngineOptions(
        ContextOptions.cpu(0), Optional.empty(), OptionalInt.empty(), 2, 1, ImageLimits.DEFAULT);
  }

  public EngineOptions withDevice(ContextOptions other) {
    return new EngineOptions(other, dtype, maxModelLen, pruneLayer, maxSequences, imageLimits);
  }

  public EngineOptions withDtype(Optional<DType> other) {
    return new EngineOptions(device, other, maxModelLen, pruneLayer, maxSequences, imageLimits);
  }

  public EngineOptions withMaxModelLen(OptionalInt tokens) {
    return new EngineOptions(device, dtype, tokens, pruneLayer, maxSequences, imageLimits);
  }

  public EngineOptions withPruneLayer(int layer) {
    return new EngineOptions(device, dtype, maxModelLen, layer, maxSequences, imageLimits);
  }

  public EngineOptions withMaxSequences(int sequences) {
    return new EngineOptions(device, dtype, maxModelLen, pruneLayer, sequences, imageLimits);
  }
}
