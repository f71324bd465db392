package io.topv.engine.prune;

import io.topv.engine.TopvException;
import io.topv.runtime.DType;
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
  public Chosen select(LayerState state, List<VisualSpan> spans) {
    Scratch scratch = state.scratch();
    Ops ops = state.context().ops();
    int[] tokens = spans.stream().mapToInt(VisualSpan::tokens).toArray();
    int[] tops = spans.stream().mapToInt(span -> top(span.tokens())).toArray();
    int[][] grids =
        spans.stream().map(s -> new int[] {s.width(), s.height()}).toArray(int[][]::new);
    int n = Arrays.stream(tokens).sum();
    long cells = Arrays.stream(tokens).mapToLong(t -> (long) t * t).sum();
    Tensor rows = scratch.tensor("rows", DType.I32, 1, n).put(rows(spans, n));
    Tensor cost = scratch.tensor("cost", DType.F32, 1, cells);
    Tensor sourceNorm = scratch.tensor("source_norm", DType.F32, 1, n);
    Tensor targetNorm = scratch.tensor("target_norm", DType.F32, 1, n);
    Tensor importance = scratch.tensor("importance", DType.F32, 1, n);
    Tensor kept = scratch.tensor("kept", DType.I32, 1, spans.stream().mapToInt(this::kept).sum());
    ops.transportCost(
        state.source(), state.target(), rows, grids, settings.cost(), cost, sourceNorm, targetNorm);
    ops.sinkhorn(
        cost, weight(sourceNorm), weight(targetNorm), tokens, settings.sinkhorn(), importance);
    ops.tokenSelect(importance, tokens, tops, settings.recoverEvery(), kept);
    return new Chosen(kept, Optional.of(importance));
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

  @Override
  public String inactive() {
    return top.isEmpty() && budget instanceof Budget.Rate rate && rate.removed() == 0
        ? "rate 0 removes nothing"
        : "";
  }
}
