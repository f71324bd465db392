package io.topv.engine.prune;

import io.topv.runtime.DType;
import io.topv.runtime.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * The control: tokens drawn without replacement, each image of a prompt from its own stream of the
 * seed.
 *
 * @param layer counted from 1
 */
public record RandomPruning(int layer, Budget budget, long seed, Policy policy)
    implements PruningMethod {
  @Override
  public String name() {
    return "random";
  }

  @Override
  public String key() {
    return toString();
  }

  @Override
  public int kept(VisualSpan span) {
    return budget.kept(span.tokens());
  }

  @Override
  public Chosen select(LayerState state, List<VisualSpan> spans) {
    int[] kept = draw(spans);
    Tensor drawn = state.scratch().tensor("kept", DType.I32, 1, kept.length).put(kept);
    return new Chosen(drawn, Optional.empty());
  }

  /** Packed over the images. */
  int[] draw(List<VisualSpan> spans) {
    // Not java.util.Random: what it draws from neighbouring seeds is alike.
    SplittableRandom random = new SplittableRandom(seed);
    return spans.stream().flatMapToInt(span -> draw(span, random.split())).toArray();
  }

  private IntStream draw(VisualSpan span, SplittableRandom random) {
    int[] order = new int[span.tokens()];
    Arrays.setAll(order, i -> i);
    int count = kept(span);
    for (int i = 0; i < count; i++) {
      int j = i + random.nextInt(order.length - i);
      int drawn = order[j];
      order[j] = order[i];
      order[i] = drawn;
    }
    return Arrays.stream(order, 0, count).sorted();
  }

  @Override
  public String inactive() {
    return budget instanceof Budget.Rate rate && rate.removed() == 0
        ? "rate 0 removes nothing"
        : "";
  }
}
