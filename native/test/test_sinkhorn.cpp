#include "golden/pot.hpp"
#include "topv_case.hpp"

namespace {

using Floats = std::vector<float>;
using reference::Transport;

struct Problem {
  Floats cost, p, q;
  int32_t n;

  Problem(int32_t tokens, uint64_t seed, float low = 0.3f, float high = 2.2f) : n(tokens) {
    test::Random random(seed + 100);
    for (int64_t i = 0; i < int64_t{n} * n; ++i) cost.push_back(random.uniform(low, high));
    for (int32_t i = 0; i < n; ++i) {
      p.push_back(random.uniform(0.1f, 3));
      q.push_back(random.uniform(0.1f, 3));
    }
  }
  Floats solve(const test::Context& ctx, const Transport& o) const {
    return test::sinkhorn(ctx, o, cost, p, q, {n});
  }
};

reference::Values doubles(const Floats& x) { return reference::Values(x.begin(), x.end()); }

/// Relative tolerance: float32 sums of n terms, a few per iteration.
void check(const Floats& actual, const reference::Values& expected, double tolerance,
           const std::string& what) {
  CHECK(actual.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    CLOSE(actual[i], expected[i], tolerance * expected[i] + 1e-38, what);
}

/// False where all underflow in float32, or one overflows: PRINTED can do that.
bool representable(const reference::Values& importance) {
  if (importance.empty()) return false;
  const double most = *std::max_element(importance.begin(), importance.end());
  return most > 1e-40 && most < 3e38;
}

double sum(const Floats& x) {
  double total = 0;
  for (const float value : x) total += static_cast<double>(value);
  return total;
}

}  // namespace

TEST(every_solver_agrees_with_the_reference) {
  for (const int solver : test::kSolvers) {
    for (const int32_t n : test::few({1, 2, 7, 8, 15, 16, 17, 31, 33, 65, 144})) {
      for (const double epsilon : {0.1, 0.5}) {
        if (test::small() && epsilon < 0.5) continue;
        const Problem problem(n, static_cast<uint64_t>(n));
        const Transport o{solver, 3, static_cast<double>(static_cast<float>(epsilon)), 0.25};
        const reference::Values uniform(static_cast<size_t>(n), 1.0 / n);
        const auto weighted =
            reference::sinkhorn(o, doubles(problem.cost), reference::marginal(doubles(problem.p)),
                                reference::marginal(doubles(problem.q)));
        const auto plain = reference::sinkhorn(o, doubles(problem.cost), uniform, uniform);
        const std::string name = "solver " + std::to_string(solver) + " n " + std::to_string(n);
        test::for_each_context([&](test::Context& ctx) {
          // PRINTED multiplies rounding errors by v / epsilon in an exponent.
          const double tolerance = solver == TOPV_SOLVER_PRINTED ? 1e-4 : 1e-5;
          if (representable(weighted)) {
            check(problem.solve(ctx, o), weighted, tolerance, name);
          } else {
            REFUSED(TOPV_UNSUPPORTED, problem.solve(ctx, o), "epsilon");
          }
          if (representable(plain)) {
            check(test::sinkhorn(ctx, o, problem.cost, {}, {}, {n}), plain, tolerance, name + " uniform");
          } else {
            REFUSED(TOPV_UNSUPPORTED, test::sinkhorn(ctx, o, problem.cost, {}, {}, {n}), "epsilon");
          }
        });
      }
    }
  }
}

// Sizes at the borders of the forms that a GPU has (sinkhorn_cluster.cu: 192 tokens per row of a warp).
TEST(larger_images_agree_with_the_reference) {
  for (const int32_t n : test::few({192, 193, 383, 385, 575, 576, 577, 768, 769})) {
    const Problem problem(n, static_cast<uint64_t>(n));
    const int solver = test::kSolvers[n % 5];
    const Transport o{solver, 2, 0.5, 0.25};
    const auto expected =
        reference::sinkhorn(o, doubles(problem.cost), reference::marginal(doubles(problem.p)),
                            reference::marginal(doubles(problem.q)));
    test::for_each_context([&](test::Context& ctx) {
      check(problem.solve(ctx, o), expected, solver == TOPV_SOLVER_PRINTED ? 1e-4 : 1e-5,
            "solver " + std::to_string(solver) + " n " + std::to_string(n));
    });
  }
}

TEST(agrees_with_pot) {
  const Floats cost(std::begin(golden::kCost), std::end(golden::kCost));
  const Floats p(std::begin(golden::kSource), std::end(golden::kSource));
  const Floats q(std::begin(golden::kTarget), std::end(golden::kTarget));
  test::for_each_context([&](test::Context& ctx) {
    for (const golden::Case& one : golden::kCases) {
      if (test::small() && one.iterations > 3) continue;
      const Transport o{one.solver, one.iterations, static_cast<double>(golden::kEpsilon),
                        static_cast<double>(one.lambda)};
      check(test::sinkhorn(ctx, o, cost, p, q, {golden::kTokens}),
            reference::Values(std::begin(one.importance), std::end(one.importance)), 1e-5,
            "solver " + std::to_string(one.solver) + " iterations " + std::to_string(one.iterations));
    }
  });
}

TEST(the_trap_standard_vu_gives_p_whatever_the_cost) {
  test::for_each_context([](test::Context& ctx) {
    const Problem one(100, 1), other(100, 2, 0, 1);
    const reference::Values p = reference::marginal(doubles(one.p));
    for (const int iterations : {1, 3, 50}) {
      const Transport o{TOPV_SOLVER_STANDARD_VU, iterations, 0.1, 0};
      check(one.solve(ctx, o), p, 1e-5, "importance is p");
      check(test::sinkhorn(ctx, o, other.cost, one.p, one.q, {100}), p, 1e-5,
            "and does not depend on the cost");
    }
  });
}

TEST(the_other_solvers_do_depend_on_the_cost) {
  test::for_each_context([](test::Context& ctx) {
    const Problem one(50, 1), other(50, 2);
    for (const int solver :
         {TOPV_SOLVER_ONE_SIDED, TOPV_SOLVER_UNBALANCED, TOPV_SOLVER_PRINTED, TOPV_SOLVER_STANDARD_UV}) {
      const Transport o{solver, 1, 0.5, 0.25};
      const Floats a = one.solve(ctx, o), b = test::sinkhorn(ctx, o, other.cost, one.p, one.q, {50});
      double most = 0;
      for (size_t i = 0; i < 50; ++i) most = std::fmax(most, std::fabs(static_cast<double>(a[i] / b[i]) - 1));
      CHECK(most > 1e-3);
    }
  });
}

TEST(standard_uv_does_not_see_a_cost_per_row) {
  // u absorbs a factor per row of K: gamma has no effect.
  test::for_each_context([](test::Context& ctx) {
    const Problem one(60, 3);
    Problem shifted = one;
    for (int32_t i = 0; i < 60; ++i) {
      for (int32_t j = 0; j < 60; ++j)
        shifted.cost[static_cast<size_t>(i * 60 + j)] += 0.01f * static_cast<float>(i);
    }
    const Transport o{TOPV_SOLVER_STANDARD_UV, 3, 0.1, 0};
    // The shifted costs are rounded to float32, which epsilon = 0.1 magnifies.
    check(shifted.solve(ctx, o), doubles(one.solve(ctx, o)), 2e-5, "row shift");
  });
}

TEST(one_sided_does_not_see_a_constant_or_a_cost_per_column) {
  test::for_each_context([](test::Context& ctx) {
    const Transport o{TOPV_SOLVER_ONE_SIDED, 1, 0.1, 0};
    const Problem one(60, 4);
    Problem constant = one, column = one;
    for (int32_t i = 0; i < 60 * 60; ++i) {
      constant.cost[static_cast<size_t>(i)] += 0.75f;
      column.cost[static_cast<size_t>(i)] += 0.01f * static_cast<float>(i % 60);
    }
    const reference::Values expected = doubles(one.solve(ctx, o));
    check(constant.solve(ctx, o), expected, 2e-5, "constant");
    check(column.solve(ctx, o), expected, 2e-5, "column");
  });
}

TEST(one_sided_weighs_a_row_down_by_its_cost) {
  // A shift c of row r multiplies its part of every column by f = exp(-c / epsilon) before the column is scaled to q:
  // I_r becomes sum_j q_j f w_rj / (1 - w_rj + f w_rj), w = the row's old share of column j. So I'_r / I_r lies in
  // [f, f / (1 - (1 - f) max w)], and equals f / (1 - (1 - f) w) where the share is the same in all columns.
  test::for_each_context([](test::Context& ctx) {
    const Transport o{TOPV_SOLVER_ONE_SIDED, 1, static_cast<double>(0.5f), 0};
    const int32_t n = 40, r = 7;
    const float c = 0.25f;
    const Problem one(n, 5);
    Problem shifted = one;
    for (int32_t j = 0; j < n; ++j) shifted.cost[static_cast<size_t>(r * n + j)] += c;
    const double f = std::exp(-static_cast<double>(c) / o.epsilon);
    const reference::Values q = reference::marginal(doubles(one.q));
    double expected = 0, share = 0;
    for (int32_t j = 0; j < n; ++j) {
      double column = 0;
      const auto kernel = [&](int32_t i) {
        return std::exp(-static_cast<double>(one.cost[static_cast<size_t>(i * n + j)]) / o.epsilon);
      };
      for (int32_t i = 0; i < n; ++i) column += kernel(i);
      const double w = kernel(r) / column;
      share = std::fmax(share, w);
      expected += q[static_cast<size_t>(j)] * f * w / (1 - w + f * w);
    }
    const double before = static_cast<double>(one.solve(ctx, o)[r]),
                 after = static_cast<double>(shifted.solve(ctx, o)[r]);
    CLOSE(after, expected, 1e-5 * expected, "I_r");
    CHECK(after / before > f * (1 - 1e-5));
    CHECK(after / before < f / (1 - (1 - f) * share) * (1 + 1e-5));

    // Costs that depend on the row alone: I_i is exp(-c_i / epsilon) up to one factor for all.
    Problem rows = one;
    for (int32_t i = 0; i < n * n; ++i) rows.cost[static_cast<size_t>(i)] = 0.02f * static_cast<float>(i / n);
    reference::Values weights;
    for (int32_t i = 0; i < n; ++i)
      weights.push_back(std::exp(-static_cast<double>(0.02f * static_cast<float>(i)) / o.epsilon));
    check(rows.solve(ctx, o), reference::marginal(weights), 1e-5, "rows alone");
  });
}

TEST(a_permutation_of_the_tokens_permutes_the_importance) {
  test::for_each_context([](test::Context& ctx) {
    const int32_t n = 61;
    const Problem one(n, 6);
    Problem moved = one;
    const auto to = [&](int32_t i) { return static_cast<size_t>((i * 17 + 5) % n); };
    for (int32_t i = 0; i < n; ++i) {
      moved.p[to(i)] = one.p[static_cast<size_t>(i)];
      moved.q[to(i)] = one.q[static_cast<size_t>(i)];
      for (int32_t j = 0; j < n; ++j)
        moved.cost[to(i) * n + to(j)] = one.cost[static_cast<size_t>(i * n + j)];
    }
    for (const int solver : test::kSolvers) {
      const Transport o{solver, 1, 0.5, 0.25};
      const Floats a = one.solve(ctx, o), b = moved.solve(ctx, o);
      for (int32_t i = 0; i < n; ++i) {
        const double e = static_cast<double>(a[static_cast<size_t>(i)]);
        CLOSE(b[to(i)], e, 1e-5 * e, "solver " + std::to_string(solver));
      }
    }
  });
}

TEST(a_uniform_cost_leaves_the_weights) {
  test::for_each_context([](test::Context& ctx) {
    const int32_t n = 30;
    Problem one(n, 7);
    one.cost.assign(n * n, 0.25f);
    for (const int solver : test::kSolvers) {
      const Transport o{solver, 3, 0.5, static_cast<double>(0.25f)};
      reference::Values expected = reference::marginal(doubles(one.p));
      const Floats actual = one.solve(ctx, o);
      if (solver == TOPV_SOLVER_ONE_SIDED) expected.assign(n, 1.0 / n);
      // K v is the same for all rows, so I is proportional to p, or for relaxed marginals to p^r.
      if (solver == TOPV_SOLVER_UNBALANCED) {
        for (double& x : expected) x = std::pow(x, o.lambda / (o.lambda + o.epsilon));
      }
      const double scale = sum(actual) / std::accumulate(expected.begin(), expected.end(), 0.0);
      for (double& x : expected) x *= scale;
      check(actual, expected, 1e-5, "solver " + std::to_string(solver));
      check(test::sinkhorn(ctx, o, one.cost, {}, {}, {n}),
            reference::Values(n, sum(test::sinkhorn(ctx, o, one.cost, {}, {}, {n})) / n), 1e-5,
            "uniform, solver " + std::to_string(solver));
    }
  });
}

TEST(the_importance_sums_to_one_where_a_marginal_is_enforced) {
  test::for_each_context([](test::Context& ctx) {
    const Problem one(77, 8);
    for (const int solver : {TOPV_SOLVER_ONE_SIDED, TOPV_SOLVER_STANDARD_UV, TOPV_SOLVER_STANDARD_VU}) {
      CLOSE(sum(one.solve(ctx, {solver, 3, 0.1, 0})), 1, 1e-5, "solver " + std::to_string(solver));
    }
  });
}

TEST(unbalanced_becomes_standard_uv_as_lambda_grows) {
  test::for_each_context([](test::Context& ctx) {
    const Problem one(40, 9);
    const reference::Values limit = doubles(one.solve(ctx, {TOPV_SOLVER_STANDARD_UV, 3, 0.2, 0}));
    double previous = 1e9;
    for (const double lambda : {0.1, 1.0, 10.0, 1e8}) {
      const Floats actual = one.solve(ctx, {TOPV_SOLVER_UNBALANCED, 3, 0.2, lambda});
      double distance = 0;
      for (size_t i = 0; i < limit.size(); ++i)
        distance += std::fabs(static_cast<double>(actual[i]) - limit[i]);
      CHECK(distance < previous);
      previous = distance;
    }
    CHECK(previous < 1e-5);
  });
}

TEST(small_epsilons_stay_finite_and_right) {
  // Range / epsilon of 190 to 1900: K underflows in float32.
  for (const int solver :
       {TOPV_SOLVER_ONE_SIDED, TOPV_SOLVER_UNBALANCED, TOPV_SOLVER_STANDARD_UV, TOPV_SOLVER_STANDARD_VU}) {
    for (const float epsilon : {0.01f, 0.001f}) {
      const Problem one(25, 10);
      const Transport o{solver, 5, static_cast<double>(epsilon), static_cast<double>(0.25f)};
      const auto expected = reference::sinkhorn(o, doubles(one.cost), reference::marginal(doubles(one.p)),
                                                reference::marginal(doubles(one.q)));
      test::for_each_context([&](test::Context& ctx) {
        const Floats actual = one.solve(ctx, o);
        for (size_t i = 0; i < expected.size(); ++i) {
          // Marginals are float32; results may be subnormal.
          CLOSE(actual[i], expected[i], 1e-4 * expected[i] + 1e-37, "solver " + std::to_string(solver));
        }
      });
    }
  }
}

TEST(weights_of_zero_are_allowed) {
  test::for_each_context([](test::Context& ctx) {
    Problem one(20, 11);
    for (size_t i = 0; i < 20; i += 3) one.p[i] = one.q[(i + 1) % 20] = 0;
    for (const int solver : test::kSolvers) {
      const Transport o{solver, 3, 0.5, 0.25};
      const auto expected = reference::sinkhorn(o, doubles(one.cost), reference::marginal(doubles(one.p)),
                                                reference::marginal(doubles(one.q)));
      check(one.solve(ctx, o), expected, 1e-4, "solver " + std::to_string(solver));
    }
  });
}

TEST(printed_beyond_float32_is_refused) {
  test::for_each_context([](test::Context& ctx) {
    Problem one(20, 12, 5, 60);
    std::vector<float> importance(20, -1.0f);
    const std::vector<int32_t> tokens = {20};
    topv_sinkhorn_params p = {};
    p.cost = one.cost.data();
    p.tokens = tokens.data();
    p.importance = importance.data();
    p.images = 1;
    p.iterations = 3;
    p.solver = TOPV_SOLVER_PRINTED;
    p.epsilon = 0.05f;
    REFUSED(TOPV_UNSUPPORTED, ctx.sinkhorn(p), "sinkhorn", "image 0", "epsilon = 0.05");
    for (const float value : importance) CHECK(value == -1.0f || !test::writes_nothing_when_refused());
  });
}

TEST(bad_contents_are_refused_before_anything_is_written) {
  test::for_each_context([](test::Context& ctx) {
    const Transport o{TOPV_SOLVER_ONE_SIDED, 1, 0.1, 0};
    const float nan = std::numeric_limits<float>::quiet_NaN();
    Problem one(5, 13);
    one.cost[7] = nan;
    REFUSED(TOPV_INVALID_ARGUMENT, one.solve(ctx, o), "sinkhorn", "cost[1, 2]", "nan");
    one.cost[7] = std::numeric_limits<float>::infinity();
    REFUSED(TOPV_INVALID_ARGUMENT, one.solve(ctx, o), "sinkhorn", "cost[1, 2]", "inf");
    one.cost[7] = 0;
    one.p[3] = -1;
    REFUSED(TOPV_INVALID_ARGUMENT, one.solve(ctx, o), "sinkhorn", "source_weight", "token 3", "-1");
    one.p[3] = 1;
    one.q[4] = nan;
    REFUSED(TOPV_INVALID_ARGUMENT, one.solve(ctx, o), "sinkhorn", "target_weight", "token 4", "nan");
    one.q.assign(5, 0.0f);
    REFUSED(TOPV_INVALID_ARGUMENT, one.solve(ctx, o), "sinkhorn", "target_weight", "zero everywhere");
  });
}

TEST(images_in_a_batch_equal_the_images_alone_at_any_number_of_threads) {
  test::for_each_pair([](test::Context& single, test::Context& pair) {
    const std::vector<int32_t> tokens = {144, 1, 35};
    Floats cost, p, q;
    for (const int32_t n : tokens) {
      const Problem one(n, static_cast<uint64_t>(n));
      cost.insert(cost.end(), one.cost.begin(), one.cost.end());
      p.insert(p.end(), one.p.begin(), one.p.end());
      q.insert(q.end(), one.q.begin(), one.q.end());
    }
    for (const int solver : test::kSolvers) {
      const Transport o{solver, 3, 0.5, 0.25};
      const Floats all = test::sinkhorn(single, o, cost, p, q, tokens);
      CHECK(all == test::sinkhorn(pair, o, cost, p, q, tokens));
      Floats alone;
      for (const int32_t n : tokens) {
        const Floats one = Problem(n, static_cast<uint64_t>(n)).solve(pair, o);
        alone.insert(alone.end(), one.begin(), one.end());
      }
      CHECK(all == alone);
    }
  });
}

// More images than a GPU has clusters of 16 blocks for: it takes smaller ones, which must change nothing.
TEST(images_in_a_large_batch_equal_the_images_alone) {
  test::for_each_pair([](test::Context& single, test::Context& pair) {
    if (test::small()) return;
    const std::vector<int32_t> tokens = {400, 30, 385, 200, 576, 390, 577, 400, 401, 770, 402, 403, 404, 576};
    const Transport o{TOPV_SOLVER_UNBALANCED, 2, 0.5, 0.25};
    Floats cost, p, q, alone;
    for (const int32_t n : tokens) {
      const Problem one(n, static_cast<uint64_t>(n));
      cost.insert(cost.end(), one.cost.begin(), one.cost.end());
      p.insert(p.end(), one.p.begin(), one.p.end());
      q.insert(q.end(), one.q.begin(), one.q.end());
      const Floats solved = one.solve(single, o);
      alone.insert(alone.end(), solved.begin(), solved.end());
    }
    CHECK(alone == test::sinkhorn(pair, o, cost, p, q, tokens));
  });
}

// An image that needs the logarithmic domain, and two that do not, in one call.
TEST(images_that_float32_does_not_hold_leave_the_others_alone) {
  test::for_each_context([](test::Context& ctx) {
    const std::vector<int32_t> tokens = {40, 25, 210};
    const Transport o{TOPV_SOLVER_STANDARD_UV, 4, static_cast<double>(0.01f), 0};
    Floats cost;
    reference::Values expected;
    for (const int32_t n : tokens) {
      const Problem one(n, static_cast<uint64_t>(n), 0, n == 25 ? 20.0f : 0.2f);
      cost.insert(cost.end(), one.cost.begin(), one.cost.end());
      const reference::Values uniform(static_cast<size_t>(n), 1.0 / n);
      const auto solved = reference::sinkhorn(o, doubles(one.cost), uniform, uniform);
      expected.insert(expected.end(), solved.begin(), solved.end());
    }
    const Floats actual = test::sinkhorn(ctx, o, cost, {}, {}, tokens);
    // The exponent of a cost of 20 has a rounding error of 2000 / 2^24.
    for (size_t i = 0; i < expected.size(); ++i)
      CLOSE(actual[i], expected[i], 1e-3 * expected[i] + 1e-37, "token " + std::to_string(i));
  });
}

TEST(threads_share_a_large_image_and_change_nothing) {
  const int32_t n = test::small() ? 301 : 1501;
  const Problem one(n, 14);
  test::for_each_pair([&](test::Context& single, test::Context& pair) {
    for (const int solver : {TOPV_SOLVER_ONE_SIDED, TOPV_SOLVER_UNBALANCED}) {
      const Transport o{solver, 2, 0.5, 0.25};
      CHECK(one.solve(single, o) == one.solve(pair, o));
    }
  });
}
