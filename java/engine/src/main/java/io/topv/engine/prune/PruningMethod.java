package io.topv.engine.prune;

import java.util.List;

/**
 * A way to choose which visual tokens stay. It runs once per sequence in prefill, at the end of the
 * attention of decoder layer {@link #layer}: the layers above see the survivors only.
 */
public interface PruningMethod {

  /** As users name it: none, random, topv. */
  String name();

  /**
   * Name and all settings in a form that is equal exactly when the results are: part of cache keys.
   */
  String key();

  /** The pruning layer, counted from 1: that many layers see every token. */
  int layer();

  Policy policy();

  /** Tokens that stay of {@code span}; asked before anything is computed. 0 = too few to prune. */
  int kept(VisualSpan span);

  /**
   * Chooses exactly {@link #kept} tokens per span. The work is queued on the device: a method that
   * waits for it stalls the whole prefill.
   */
  Chosen select(LayerState state, List<VisualSpan> spans);

  /** Why pruning is off before any image is looked at, or empty. */
  default String inactive() {
    return "";
  }
}
