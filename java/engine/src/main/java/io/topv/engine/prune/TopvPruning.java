package io.topv.engine.prune;

import io.topv.engine.TopvException;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Ops;
import io.topv.runtime.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * TopV: the tokens that the cheapest transport from the layer's input to its second norm uses most,
 * then every m-th of the others. Each image is a problem of its own.
 *
 * @param budget total that stays, recovered ones included; not looked at when {@code top} is given
 * @param top tokens kept by importance, before recovery
 */
public record TopvPruning(TopvSettings settings, Budget budget, OptionalInt top)
    implements PruningMethod {
  public TopvPruning {
    if (top.isPresent() && top.getAsInt() == 0 && settings.recoverEvery() == 0) {
      throw new TopvException("topv-top = 0 with topv-recover-every = 0 keeps no visual token");
    }
  }

  @Override
  public String name() {
    return "topv";
  }

  @Override
  public String key() {
    return toString();
  }

  @Override
  public int layer() {
    return settings.layer();
  }

  @Override
  public Policy policy() {
    return settings.policy();
  }

  @Override
  public int kept(VisualSpan span) {
    int n = span.tokens();
    if (top.isEmpty() && budget.kept(n) == 0) {
      return 0;
    }
    int byImportance = top(n);
    return byImportance + recovered(n, byImportance);
  }

  /** Tokens by importance such that with the recovered ones the budget is met exactly. */
  private int top(int n) {
    if (top.isPresent()) {
      if (top.getAsInt() < 0 || top.getAsInt() > n) {
        throw new TopvException(
            "topv-top = "
                + top.getAsInt()
                + " is not in 0 .. "
                + n
                + ", the image's visual tokens");
      }
      return top.getAsInt();
    }
    int total = budget.kept(n);
    // top + recovered(top) never falls and rises by at most one per step, so it meets every total
    // above its minimum.
    int low = 0;
    int high = n;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (middle + recovered(n, middle) < total) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low + recovered(n, low) != total) {
      throw new TopvException(
          "%s keeps %d of %d visual tokens, but topv-recover-every = %d alone puts back %d; use a larger one or 0"
              .formatted(budget.describe(), total, n, settings.recoverEvery(), recovered(n, 0)));
    }
    return low;
  }

  private int recovered(int n, int byImportance) {
    int every = settings.recoverEvery();
    return every == 0 ? 0 : (n - byImportance + every - 1) / every;
  }

  @Override
  public List<Selection> select(LayerState state, List<VisualSpan> spans) {
    Context context = state.context();
    Ops ops = context.ops();
    int[] tokens = spans.stream().mapToInt(VisualSpan::tokens).toArray();
    int[] tops = spans.stream().mapToInt(span -> top(span.tokens())).toArray();
    int[] counts = spans.stream().mapToInt(this::kept).toArray();
    int[][] grids =
        spans.stream().map(s -> new int[] {s.width(), s.height()}).toArray(int[][]::new);
    int n = Arrays.stream(tokens).sum();
    long cells = Arrays.stream(tokens).mapToLong(t -> (long) t * t).sum();
    int k = Arrays.stream(counts).sum();
    try (DeviceBuffer index = context.allocate(DType.I32, 1, n);
        DeviceBuffer cells32 = context.allocate(DType.F32, 1, cells);
        DeviceBuffer vectors = context.allocate(DType.F32, 3, n);
        DeviceBuffer chosen = context.allocate(DType.I32, 1, Math.max(1, k))) {
      Tensor rows = index.tensor(DType.I32, 1, n).put(rows(spans, n));
      Tensor cost = cells32.tensor(DType.F32, 1, cells);
      Tensor sourceNorm = vectors.tensor(DType.F32, 3, n).rows(0, 1);
      Tensor targetNorm = vectors.tensor(DType.F32, 3, n).rows(1, 1);
      Tensor importance = vectors.tensor(DType.F32, 3, n).rows(2, 1);
      Tensor kept = chosen.tensor(DType.I32, 1, k);
      ops.transportCost(
          state.source(),
          state.target(),
          rows,
          grids,
          settings.cost(),
          cost,
          sourceNorm,
          targetNorm);
      ops.sinkhorn(
          cost, weight(sourceNorm), weight(targetNorm), tokens, settings.sinkhorn(), importance);
      ops.tokenSelect(importance, tokens, tops, settings.recoverEvery(), kept);
      return split(kept.toInts(), counts, importance.toFloats(), tokens);
    }
  }

  private Optional<Tensor> weight(Tensor norm) {
    return settings.uniform() ? Optional.empty() : Optional.of(norm);
  }

  private static int[] rows(List<VisualSpan> spans, int n) {
    int[] rows = new int[n];
    int at = 0;
    for (VisualSpan span : spans) {
      for (int i = 0; i < span.tokens(); i++) {
        rows[at++] = span.start() + i;
      }
    }
    return rows;
  }

  private static List<Selection> split(int[] kept, int[] counts, float[] importance, int[] tokens) {
    Selection[] selections = new Selection[counts.length];
    int keptFrom = 0;
    int tokensFrom = 0;
    for (int i = 0; i < counts.length; i++) {
      selections[i] =
          new Selection(
              Arrays.copyOfRange(kept, keptFrom, keptFrom + counts[i]),
              Arrays.copyOfRange(importance, tokensFrom, tokensFrom + tokens[i]));
      keptFrom += counts[i];
      tokensFrom += tokens[i];
    }
    return List.of(selections);
  }

  @Override
  public String inactive() {
    return top.isEmpty() && budget instanceof Budget.Rate rate && rate.removed() == 0
        ? "rate 0 removes nothing"
        : "";
  }
}
