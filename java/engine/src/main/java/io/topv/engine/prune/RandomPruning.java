package io.topv.engine.prune;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

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
  public List<Selection> select(LayerState state, List<VisualSpan> spans) {
    Selection[] selections = new Selection[spans.size()];
    // Not java.util.Random: what it draws from neighbouring seeds is alike.
    SplittableRandom random = new SplittableRandom(seed);
    Arrays.setAll(selections, i -> draw(spans.get(i), random.split()));
    return List.of(selections);
  }

  private Selection draw(VisualSpan span, SplittableRandom random) {
    int[] order = new int[span.tokens()];
    Arrays.setAll(order, i -> i);
    int count = kept(span);
    for (int i = 0; i < count; i++) {
      int j = i + random.nextInt(order.length - i);
      int drawn = order[j];
      order[j] = order[i];
      order[i] = drawn;
    }
    int[] kept = Arrays.copyOf(order, count);
    Arrays.sort(kept);
    return new Selection(kept, new float[0]);
  }

  @Override
  public String inactive() {
    return budget instanceof Budget.Rate rate && rate.removed() == 0
        ? "rate 0 removes nothing"
        : "";
  }
}
