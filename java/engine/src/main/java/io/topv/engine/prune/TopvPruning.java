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
    return top.isEmpty() && budget.kept(n) == 0 ? 0 : kept(n);
  }

  private int kept(int n) {
    int byImportance = byImportance(n);
    return byImportance + recovered(n, byImportance);
  }

  /**
   * Every how-manieth pruned token of {@code n} comes back; 0 = none. It is what the settings say,
   * or the least number above that with which half of the budget by importance leaves room for all
   * that come back.
   */
  public int recoverEvery(int n) {
    int asked = settings.recoverEvery();
    if (asked == 0 || top.isPresent()) {
      return asked;
    }
    int total = budget.kept(n);
    int half = total / 2;
    return half == 0 ? 0 : Math.max(asked, (n - (total - half) + half - 1) / half);
  }

  /** Tokens of {@code n} by importance: with the recovered ones the budget is met exactly. */
  public int byImportance(int n) {
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
    // count + recovered(count) never falls and rises by at most one per step, from at most the
    // total
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
    return low;
  }

  private int recovered(int n, int byImportance) {
    int every = recoverEvery(n);
    return every == 0 ? 0 : (n - byImportance + every - 1) / every;
  }

  @Override
  public Chosen select(LayerState state, List<VisualSpan> spans) {
    Scratch scratch = state.scratch();
    Ops ops = state.context().ops();
    int[] tokens = spans.stream().mapToInt(VisualSpan::tokens).toArray();
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
    choose(ops, importance, tokens, kept);
    return new Chosen(kept, Optional.of(importance));
  }

  /** One call for each run of images that recover alike: for all, where they are of one size. */
  private void choose(Ops ops, Tensor importance, int[] tokens, Tensor kept) {
    long token = 0;
    long choice = 0;
    for (int from = 0, to = 1; from < tokens.length; from = to++) {
      int every = recoverEvery(tokens[from]);
      while (to < tokens.length && recoverEvery(tokens[to]) == every) {
        to++;
      }
      int[] run = Arrays.copyOfRange(tokens, from, to);
      int[] tops = Arrays.stream(run).map(this::byImportance).toArray();
      long all = Arrays.stream(run).sum();
      long some = Arrays.stream(run).map(this::kept).sum();
      ops.tokenSelect(importance.cols(token, all), run, tops, every, kept.cols(choice, some));
      token += all;
      choice += some;
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

  @Override
  public String inactive() {
    return top.isEmpty() && budget instanceof Budget.Rate rate && rate.removed() == 0
        ? "rate 0 removes nothing"
        : "";
  }
}
