#!/usr/bin/env python3
"""Holds scripts/topv_reference.py to POT (Python Optimal Transport) and to what each solver promises.

    pip install numpy pot && scripts/test_topv_reference.py
"""

import numpy as np
import ot  # noqa: E402

from topv_reference import SOLVERS, Params, importance, keep, select, transport_cost


def problem(rng):
    width, height, channels = rng.integers(1, 9), rng.integers(1, 9), rng.integers(1, 20)
    n = width * height
    return rng.normal(size=(n, channels)), rng.normal(size=(n, channels)), int(width), int(height)


def scaled(x):
    norms = np.linalg.norm(x, axis=1)
    return norms / norms.sum()


def agrees_with_pot(rng):
    """Balanced: both orders converge to POT's plan. Unbalanced: POT's KL-relaxed Sinkhorn, lambda = reg_m."""
    source, target, width, height = problem(rng)
    p, q = scaled(source), scaled(target)
    cost = transport_cost(source, target, width, height, Params())
    for eps in (0.1, 0.5):
        plan = ot.sinkhorn(p, q, cost, eps, stopThr=1e-14, numItermax=20000)
        for solver in ("standard_uv", "standard_vu"):
            ours = importance(cost, p, q, Params(solver=solver, iterations=5000, epsilon=eps))
            np.testing.assert_allclose(ours, plan.sum(1), rtol=1e-6, atol=1e-12)
        for lambda_ in (0.3, 2.0):
            # reg_type entropy: the kernel is exp(-C / eps) without the marginals; a shift of C is not free here
            plan = ot.unbalanced.sinkhorn_unbalanced(p, q, cost - cost.min(), eps, lambda_, reg_type="entropy",
                                                     stopThr=1e-14, numItermax=20000)
            params = Params(solver="unbalanced", iterations=5000, epsilon=eps, lambda_=lambda_)
            np.testing.assert_allclose(importance(cost, p, q, params), plan.sum(1), rtol=1e-6, atol=1e-12)


def keeps_its_promises(rng):
    source, target, width, height = problem(rng)
    p, q = scaled(source), scaled(target)
    cost = transport_cost(source, target, width, height, Params())
    n = len(p)
    # the control: the cost has no effect
    np.testing.assert_allclose(importance(cost, p, q, Params(solver="standard_vu")), p, rtol=1e-12)
    # every target is fully built
    one_sided = importance(cost, p, q, Params())
    np.testing.assert_allclose(one_sided.sum(), 1)
    np.testing.assert_allclose(importance(cost + 7, p, q, Params()), one_sided, rtol=1e-9)
    # a factor per row is absorbed by u
    row = rng.normal(size=(n, 1))
    uv = Params(solver="standard_uv")
    np.testing.assert_allclose(importance(cost + row, p, q, uv), importance(cost, p, q, uv), rtol=1e-9)
    for solver in SOLVERS:
        top, every = int(rng.integers(0, n + 1)), int(rng.integers(0, 5))
        kept, scores = select(source, target, width, height, Params(solver=solver), top, every)
        assert len(kept) == top + (-(-(n - top) // every) if every else 0)
        assert (np.diff(kept) > 0).all() and (kept >= 0).all() and (kept < n).all() and np.isfinite(scores).all()


def main():
    assert keep(np.array([1.0, 3, 3, 0, 2, 0]), 2, 0).tolist() == [1, 2]
    assert keep(np.array([1.0, 3, 3, 0, 2, 0]), 1, 2).tolist() == [0, 1, 3, 5]
    assert keep(np.zeros(5), 2, 3).tolist() == [0, 1, 2]
    rng = np.random.default_rng(1)
    for _ in range(50):
        agrees_with_pot(rng)
    for _ in range(200):
        keeps_its_promises(rng)
    print("topv_reference: 50 problems equal to POT, 200 keep the promises of every solver")


if __name__ == "__main__":
    main()
