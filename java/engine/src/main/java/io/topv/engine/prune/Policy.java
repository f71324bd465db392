package io.topv.engine.prune;

/** What a method does with positions and with the layers below it. */
public record Policy(Positions positions, EarlyKv earlyKv) {
  public static final Policy DEFAULT = new Policy(Positions.KEEP, EarlyKv.FULL);

  /** RoPE positions of the survivors in the layers above. */
  public enum Positions {
    /** Their original ones. */
    KEEP,
    /** Numbered anew without gaps. */
    COMPACT
  }

  /** KV of the layers up to the pruning layer. */
  public enum EarlyKv {
    /** Every token stays. */
    FULL,
    /** The pruned tokens go after prefill. */
    COMPACT
  }
}
