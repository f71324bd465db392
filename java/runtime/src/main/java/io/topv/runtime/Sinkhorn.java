package io.topv.runtime;

/**
 * Parameters of the optimization.
 *
 * @param iterations 1 or more; ignored by ONE_SIDED
 * @param epsilon entropic regularization, above 0
 * @param lambda marginal relaxation of UNBALANCED, above 0
 */
public record Sinkhorn(Solver solver, int iterations, float epsilon, float lambda) {}
