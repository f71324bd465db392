package io.topv.engine.model;

import io.topv.engine.kv.BlockTable;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.Selection;
import io.topv.engine.prune.VisualSpan;
import java.util.List;

/** What the decoder keeps of one sequence between steps. */
public final class SequenceState {
  private final int[] prompt;
  private final List<VisualSpan> spans;
  private final List<ImageFeatures> features;
  private final PruningMethod method;
  private final BlockTable lower;
  private final BlockTable upper;
  private List<Selection> selections = List.of();
  private int lowerPosition;
  private int upperPosition;

  SequenceState(
      int[] prompt,
      List<VisualSpan> spans,
      List<ImageFeatures> features,
      PruningMethod method,
      BlockTable lower,
      BlockTable upper) {
    this.prompt = prompt;
    this.spans = List.copyOf(spans);
    this.features = List.copyOf(features);
    this.method = method;
    this.lower = lower;
    this.upper = upper;
  }

  int[] prompt() {
    return prompt;
  }

  List<VisualSpan> spans() {
    return spans;
  }

  List<ImageFeatures> features() {
    return features;
  }

  PruningMethod method() {
    return method;
  }

  BlockTable lower() {
    return lower;
  }

  BlockTable upper() {
    return upper;
  }

  /** What pruning chose, one per image; empty when it did not apply. */
  public List<Selection> selections() {
    return selections;
  }

  void prefilled(List<Selection> chosen, int nextLower, int nextUpper) {
    selections = List.copyOf(chosen);
    lowerPosition = nextLower;
    upperPosition = nextUpper;
  }

  /** RoPE position of the next token in the lower layers. */
  int lowerPosition() {
    return lowerPosition;
  }

  int upperPosition() {
    return upperPosition;
  }

  void advance() {
    lowerPosition++;
    upperPosition++;
  }

  /** Tokens in the caches of the lower layers. */
  public int lowerLength() {
    return lower.length();
  }

  /** Tokens in the caches of the upper layers. */
  public int upperLength() {
    return upper.length();
  }

  /** Whether the caches have room for so many more tokens. */
  public boolean canHold(int tokens) {
    return lower.canGrow(tokens) && upper.canGrow(tokens);
  }

  /** Gives the pages back. */
  public void release() {
    lower.truncate(0);
    upper.truncate(0);
  }
}
