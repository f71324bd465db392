package io.topv.cli.eval;

import io.topv.engine.prune.Budget;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.RandomPruning;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import java.util.OptionalInt;

/**
 * One way to answer the questions.
 *
 * @param method none, random, resize, topv
 * @param variant what tells it from others of its method, or empty; {@code seed} aside
 * @param budget visual tokens asked for
 * @param side pixels of the image's side, where not the model's own
 * @param key says the same as all of this, in one word
 */
public record Condition(
    String method,
    String variant,
    int budget,
    PruningMethod pruning,
    OptionalInt side,
    String key) {

  /** Method and variant. */
  public String name() {
    return variant.isEmpty() ? method : method + " " + variant;
  }

  static Condition none(int layer, int tokens) {
    return new Condition("none", "", tokens, new NoPruning(layer), OptionalInt.empty(), "none");
  }

  static Condition random(int layer, int budget, long seed) {
    return new Condition(
        "random",
        "",
        budget,
        new RandomPruning(layer, new Budget.Keep(budget), seed, Policy.DEFAULT),
        OptionalInt.empty(),
        "random/layer=%d/seed=%d/keep=%d".formatted(layer, seed, budget));
  }

  /** The image is down-sampled so that its tokens are nearest to the budget. */
  static Condition resize(int layer, int budget, int patch) {
    int grid = (int) Math.max(1, Math.round(Math.sqrt(budget)));
    return new Condition(
        "resize",
        "",
        budget,
        new NoPruning(layer),
        OptionalInt.of(grid * patch),
        "resize/side=" + grid * patch);
  }

  /**
   * @param tokens N of the image
   */
  static Condition topv(String variant, TopvSettings settings, int budget, int tokens) {
    TopvPruning pruning = new TopvPruning(settings, new Budget.Keep(budget), OptionalInt.empty());
    String every = Integer.toString(pruning.recoverEvery(tokens));
    String used = Settings.key(Settings.with(settings, "recover-every", every));
    return new Condition(
        "topv", variant, budget, pruning, OptionalInt.empty(), "topv/" + used + "/keep=" + budget);
  }
}
