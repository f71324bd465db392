package io.topv.cli.eval;

import io.topv.engine.TopvException;
import io.topv.engine.prune.TopvSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which conditions an evaluation has.
 *
 * @param base settings of TopV, where a sweep does not change them
 * @param tokens N of an image
 * @param patch pixels of a patch's side
 * @param budgets visual tokens; those of N and above concern only {@code none}
 * @param seeds of random
 */
public record Conditions(
    TopvSettings base, int tokens, int patch, List<Integer> budgets, int seeds) {

  /** Stands for the settings that topv has when nothing is asked for. */
  private static final String DEFAULT = "default";

  private static final List<String> ALL =
      List.of(DEFAULT, "one_sided", "unbalanced", "printed", "standard_uv", "standard_vu");

  /**
   * @param solvers of topv, or "default"; empty = all of these, or none where there are sweeps
   * @param sweeps as {@code epsilon=0.05,0.1;sigma=2,5}
   */
  public List<Condition> of(
      List<String> methods, Optional<List<String>> solvers, List<String> sweeps) {
    List<Integer> below = budgets.stream().filter(budget -> budget < tokens).toList();
    List<Condition> conditions = new ArrayList<>();
    for (String method : methods) {
      switch (method) {
        case "none" -> conditions.add(Condition.none(base.layer(), tokens));
        case "random" ->
            below.forEach(
                budget -> {
                  for (int seed = 0; seed < seeds; seed++) {
                    conditions.add(Condition.random(base.layer(), budget, seed));
                  }
                });
        case "resize" ->
            below.forEach(budget -> conditions.add(Condition.resize(base.layer(), budget, patch)));
        case "topv" -> topv(below, solvers, sweeps, conditions);
        default ->
            throw new TopvException(
                "methods: \"" + method + "\" is unknown; expected none, random, resize or topv");
      }
    }
    if (conditions.isEmpty()) {
      throw new TopvException(
          "keep = " + budgets + " holds no budget below the image's " + tokens + " visual tokens");
    }
    return conditions;
  }

  private void topv(
      List<Integer> below,
      Optional<List<String>> solvers,
      List<String> sweeps,
      List<Condition> conditions) {
    List<String> chosen = solvers.orElse(sweeps.isEmpty() ? ALL : List.of());
    for (String name : chosen) {
      TopvSettings settings =
          name.equals(DEFAULT)
              ? TopvSettings.DEFAULT
              : Settings.with(base, "solver", Settings.name(Settings.solver(name)));
      add(name, settings, below, conditions);
    }
    for (String sweep : sweeps) {
      for (Map.Entry<String, TopvSettings> point : Settings.sweep(base, sweep).entrySet()) {
        add(point.getKey(), point.getValue(), below, conditions);
      }
    }
  }

  private void add(
      String variant, TopvSettings settings, List<Integer> below, List<Condition> conditions) {
    below.forEach(budget -> conditions.add(Condition.topv(variant, settings, budget, tokens)));
  }
}
