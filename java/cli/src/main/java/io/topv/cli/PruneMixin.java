package io.topv.cli;

import io.topv.engine.TopvException;
import io.topv.engine.prune.Budget;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.RandomPruning;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import io.topv.runtime.Solver;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** Options that say which visual tokens are pruned. */
final class PruneMixin {
  /** Published as the "35 %" row: 360 of 576 tokens stay. */
  private static final double DEFAULT_RATE = 0.375;

  @Option(
      names = "--prune",
      paramLabel = "none|random|topv",
      description = "Which visual tokens go. Default: none; topv where a budget is given.")
  private String method;

  @Option(
      names = "--prune-rate",
      paramLabel = "R",
      description =
          "Fraction of each image's visual tokens that goes, [0, 1). Default: "
              + DEFAULT_RATE
              + ".")
  private Double rate;

  @Option(
      names = "--prune-keep",
      paramLabel = "K",
      description = "Visual tokens of each image that stay, recovered ones included: exactly.")
  private Integer keep;

  @Option(
      names = "--prune-seed",
      paramLabel = "SEED",
      defaultValue = "0",
      description = "For --prune random. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--preset",
      paramLabel = "default|paper",
      defaultValue = "default",
      description =
          "TopV parameters to begin with: what measured best here, or the published ones.")
  private String preset;

  @Option(
      names = "--topv-top",
      paramLabel = "K",
      description = "Tokens kept by importance, before recovery; in place of a rate or total.")
  private Integer top;

  @Option(
      names = "--topv-recover-every",
      paramLabel = "M",
      description =
          "Every M-th pruned token comes back, or fewer where those would be more than half of what"
              + " a rate or total lets stay; 0 = none.")
  private Integer recoverEvery;

  @Option(
      names = "--topv-layer",
      paramLabel = "L",
      description = "Layers that see every token (random: too).")
  private Integer layer;

  @Option(
      names = "--topv-solver",
      paramLabel = "NAME",
      description = "one_sided, unbalanced, printed, standard_uv or standard_vu.")
  private String solver;

  @Option(names = "--topv-iterations", paramLabel = "N", description = "Sinkhorn steps.")
  private Integer iterations;

  @Option(names = "--topv-alpha", paramLabel = "X", description = "Weight of feature similarity.")
  private Float alpha;

  @Option(
      names = "--topv-beta",
      paramLabel = "X",
      description = "Weight of relative spatial distance.")
  private Float beta;

  @Option(
      names = "--topv-gamma",
      paramLabel = "X",
      description = "Weight of absolute central distance.")
  private Float gamma;

  @Option(
      names = "--topv-sigma",
      paramLabel = "X",
      description = "Width of the spatial term, grid units.")
  private Float sigma;

  @Option(names = "--topv-epsilon", paramLabel = "X", description = "Entropic regularization.")
  private Float epsilon;

  @Option(
      names = "--topv-lambda",
      paramLabel = "X",
      description = "Marginal relaxation of unbalanced.")
  private Float lambda;

  @Option(
      names = "--topv-marginals",
      paramLabel = "norms|uniform",
      description = "Masses of source and target tokens.")
  private String marginals;

  @Option(
      names = "--topv-positions",
      paramLabel = "keep|compact",
      description = "RoPE positions of the survivors in the layers above.")
  private String positions;

  @Option(
      names = "--topv-early-kv",
      paramLabel = "full|compact",
      description = "Whether the layers below drop the pruned tokens after prefill.")
  private String earlyKv;

  /** The method that the options ask for. */
  PruningMethod method() {
    TopvSettings settings = settings();
    return switch (name()) {
      case "none" -> new NoPruning(settings.layer());
      case "random" -> new RandomPruning(settings.layer(), budget(), seed, settings.policy());
      case "topv" ->
          new TopvPruning(
              settings, budget(), top == null ? OptionalInt.empty() : OptionalInt.of(top));
      default ->
          throw new TopvException(
              "prune = \"" + method + "\" is unknown; expected none, random or topv");
    };
  }

  private String name() {
    if (method != null) {
      return method;
    }
    return rate != null || keep != null || top != null ? "topv" : "none";
  }

  private Budget budget() {
    if (keep != null && rate != null) {
      throw new TopvException(
          "prune-keep = " + keep + " and prune-rate = " + rate + ": give one of them");
    }
    if (top != null && (keep != null || rate != null)) {
      throw new TopvException(
          "topv-top = " + top + " stands in place of prune-keep and prune-rate: give one");
    }
    return keep != null
        ? new Budget.Keep(keep)
        : new Budget.Rate(rate != null ? rate : DEFAULT_RATE);
  }

  TopvSettings settings() {
    TopvSettings base =
        switch (preset) {
          case "default" -> TopvSettings.DEFAULT;
          case "paper" -> TopvSettings.PAPER;
          default ->
              throw new TopvException(
                  "preset = \"" + preset + "\" is unknown; expected default or paper");
        };
    Policy policy =
        new Policy(
            positions == null
                ? base.policy().positions()
                : choice("topv-positions", positions, Policy.Positions.class),
            earlyKv == null
                ? base.policy().earlyKv()
                : choice("topv-early-kv", earlyKv, Policy.EarlyKv.class));
    return new TopvSettings(
        or(layer, base.layer()),
        or(recoverEvery, base.recoverEvery()),
        solver == null ? base.solver() : choice("topv-solver", solver, Solver.class),
        or(iterations, base.iterations()),
        or(alpha, base.alpha()),
        or(beta, base.beta()),
        or(gamma, base.gamma()),
        or(sigma, base.sigma()),
        or(epsilon, base.epsilon()),
        or(lambda, base.lambda()),
        marginals == null ? base.uniform() : uniform(),
        policy);
  }

  private boolean uniform() {
    return choice("topv-marginals", marginals, Marginals.class) == Marginals.UNIFORM;
  }

  private enum Marginals {
    NORMS,
    UNIFORM
  }

  private static <T> T or(T given, T otherwise) {
    return given != null ? given : otherwise;
  }

  private static <E extends Enum<E>> E choice(String option, String value, Class<E> type) {
    for (E constant : type.getEnumConstants()) {
      if (constant.name().equalsIgnoreCase(value)) {
        return constant;
      }
    }
    String expected =
        Arrays.stream(type.getEnumConstants())
            .map(constant -> constant.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(", "));
    throw new TopvException(option + " = \"" + value + "\" is unknown; expected " + expected);
  }
}
