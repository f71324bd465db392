package io.topv.engine.prune;

import io.topv.engine.TopvException;
import io.topv.runtime.Sinkhorn;
import io.topv.runtime.Solver;
import io.topv.runtime.TransportCost;

/**
 * Parameters of TopV (arXiv 2503.18278); docs/topv.md tells which of them are published.
 *
 * @param layer the pruning layer, counted from 1
 * @param recoverEvery every how-manieth pruned token comes back; 0 = none
 * @param iterations Sinkhorn steps, 1 .. 10000
 * @param alpha weight of feature similarity
 * @param beta weight of relative spatial distance
 * @param gamma weight of absolute central distance
 * @param sigma width of the spatial term, grid units
 * @param epsilon entropic regularization
 * @param lambda marginal relaxation of the unbalanced solver
 * @param uniform uniform marginals in place of token norms
 */
public record TopvSettings(
    int layer,
    int recoverEvery,
    Solver solver,
    int iterations,
    float alpha,
    float beta,
    float gamma,
    float sigma,
    float epsilon,
    float lambda,
    boolean uniform,
    Policy policy) {

  /** The published set, with sigma and epsilon from a reader's code: they are unpublished. */
  public static final TopvSettings PAPER =
      new TopvSettings(2, 4, Solver.ONE_SIDED, 3, 1, 1, 0.01f, 10, 0.1f, 1, false, Policy.DEFAULT);

  /**
   * The published set with a narrower spatial term: of some thirty settings the best mean over 360
   * to 32 kept tokens on the tuning questions (docs/accuracy.md).
   */
  public static final TopvSettings DEFAULT =
      new TopvSettings(2, 4, Solver.ONE_SIDED, 3, 1, 1, 0.01f, 2, 0.1f, 1, false, Policy.DEFAULT);

  private static final int MAX_ITERATIONS = 10_000; // the contract's

  public TopvSettings {
    atLeast("topv-layer", layer, 1);
    atLeast("topv-recover-every", recoverEvery, 0);
    if (iterations < 1 || iterations > MAX_ITERATIONS) {
      throw new TopvException(
          "topv-iterations = " + iterations + " is not in 1 .. " + MAX_ITERATIONS);
    }
    finite("topv-alpha", alpha);
    finite("topv-beta", beta);
    finite("topv-gamma", gamma);
    positive("topv-sigma", sigma);
    positive("topv-epsilon", epsilon);
    positive("topv-lambda", lambda);
  }

  TransportCost cost() {
    return new TransportCost(alpha, beta, gamma, sigma);
  }

  Sinkhorn sinkhorn() {
    return new Sinkhorn(solver, iterations, epsilon, lambda);
  }

  private static void atLeast(String name, int value, int least) {
    if (value < least) {
      throw new TopvException(name + " = " + value + " is not at least " + least);
    }
  }

  private static void finite(String name, float value) {
    if (!Float.isFinite(value)) {
      throw new TopvException(name + " = " + value + " is not finite");
    }
  }

  private static void positive(String name, float value) {
    if (!(value > 0) || !Float.isFinite(value)) {
      throw new TopvException(name + " = " + value + " is not above 0");
    }
  }
}
