package io.topv.engine.prune;

import java.util.List;

/** Every visual token stays. */
public record NoPruning(int layer) implements PruningMethod {
  @Override
  public String name() {
    return "none";
  }

  @Override
  public String key() {
    return "none";
  }

  @Override
  public Policy policy() {
    return Policy.DEFAULT;
  }

  @Override
  public int kept(VisualSpan span) {
    return span.tokens();
  }

  @Override
  public Chosen select(LayerState state, List<VisualSpan> spans) {
    throw new IllegalStateException("nothing to select");
  }

  @Override
  public String inactive() {
    return "pruning is off";
  }
}
