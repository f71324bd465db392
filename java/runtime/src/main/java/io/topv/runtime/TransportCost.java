package io.topv.runtime;

/**
 * Parameters of TopV's cost matrix: {@code C = alpha Cf + beta Cs + gamma Ce}.
 *
 * @param sigma width of the spatial term, grid units, above 0
 */
public record TransportCost(float alpha, float beta, float gamma, float sigma) {}
