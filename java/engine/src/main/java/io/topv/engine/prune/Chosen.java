package io.topv.engine.prune;

import io.topv.runtime.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A method's answer in device memory, packed over the images: nothing waits for it.
 *
 * @param kept I32 [1, sum K]: ascending indices into each image's visual tokens
 * @param importance F32 [1, sum N], where the method has one
 */
public record Chosen(Tensor kept, Optional<Tensor> importance) {

  /** The answer image by image; waits until it is there. */
  public List<Selection> read(PruningMethod method, List<VisualSpan> spans) {
    int[] all = kept.toInts();
    float[] values = importance.map(Tensor::toFloats).orElse(new float[0]);
    Selection[] selections = new Selection[spans.size()];
    int keptFrom = 0;
    int tokensFrom = 0;
    for (int i = 0; i < selections.length; i++) {
      int keptTo = keptFrom + method.kept(spans.get(i));
      int tokensTo = Math.min(values.length, tokensFrom + spans.get(i).tokens());
      selections[i] =
          new Selection(
              Arrays.copyOfRange(all, keptFrom, keptTo),
              Arrays.copyOfRange(values, tokensFrom, tokensTo));
      keptFrom = keptTo;
      tokensFrom = tokensTo;
    }
    return List.of(selections);
  }
}
