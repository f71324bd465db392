"""TopV's selection in float64 with NumPy: the oracle of the engine's selection. Written from the formulas of
native/include/topv/topv.h alone; shares no code with the engine.

One image gives N = width * height visual tokens, numbered row by row.
"""

from dataclasses import dataclass

import numpy as np

SOLVERS = ("one_sided", "unbalanced", "printed", "standard_uv", "standard_vu")


@dataclass(frozen=True)
class Params:
    """The published set; sigma, epsilon and lambda are not published."""

    solver: str = "one_sided"
    iterations: int = 3
    alpha: float = 1.0
    beta: float = 1.0
    gamma: float = 0.01
    sigma: float = 10.0
    epsilon: float = 0.1
    lambda_: float = 1.0


def transport_cost(source, target, width, height, params):
    """C [N, N] from the features S, T [N, C]."""
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    feature = ((source[:, None, :] - target[None, :, :]) ** 2).sum(-1)
    spread = feature.max() - feature.min()
    feature = (feature - feature.min()) / spread if spread > 0 else np.zeros_like(feature)
    y, x = np.divmod(np.arange(width * height), width)
    squared = (x[:, None] - x[None, :]) ** 2 + (y[:, None] - y[None, :]) ** 2
    relative = 1 - np.exp(-squared / (2 * params.sigma**2))
    central = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
    return params.alpha * feature + params.beta * relative + params.gamma * central[:, None]


def importance(cost, p, q, params):
    """Row sums [N] of the contribution matrix; p, q [N] >= 0 are scaled to sum 1."""
    p, q = p / p.sum(), q / q.sum()
    eps = params.epsilon
    shift = 0 if params.solver == "printed" else cost.min()
    kernel = np.exp(-(cost - shift) / eps)
    if params.solver == "one_sided":
        return kernel @ (q / kernel.sum(0))
    u, v = np.ones_like(p), np.ones_like(q)
    if params.solver == "printed":
        u, v = np.zeros_like(p), np.zeros_like(q)
    for _ in range(params.iterations):
        if params.solver == "unbalanced":
            r = params.lambda_ / (params.lambda_ + eps)
            u = (p / (kernel @ v)) ** r
            v = (q / (kernel.T @ u)) ** r
        elif params.solver == "printed":
            v = q / (kernel.T @ np.exp(u / eps))
            u = p / (kernel @ np.exp(v / eps))
        elif params.solver == "standard_uv":
            u = p / (kernel @ v)
            v = q / (kernel.T @ u)
        elif params.solver == "standard_vu":
            v = q / (kernel.T @ u)
            u = p / (kernel @ v)
        else:
            raise ValueError(params.solver)
    return u * (kernel @ v)


def keep(scores, top, recover_every):
    """Kept indices, ascending: the top ones (ties to the lower index) and every recover_every-th of the others."""
    order = np.argsort(-scores, kind="stable")
    best = np.sort(order[:top])
    pruned = np.setdiff1d(np.arange(len(scores)), best)
    recovered = pruned[::recover_every] if recover_every > 0 else pruned[:0]
    return np.sort(np.concatenate([best, recovered]))


def select(source, target, width, height, params, top, recover_every):
    """(kept indices, importance) of one image."""
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    cost = transport_cost(source, target, width, height, params)
    p, q = np.linalg.norm(source, axis=1), np.linalg.norm(target, axis=1)
    scores = importance(cost, p, q, params)
    return keep(scores, top, recover_every), scores
