// A random problem for the TopV operations: features of one or several images, with NaN in all memory that is not
// theirs, and the calls that lead from them to the kept tokens.
#pragma once

#include "reference/topv.hpp"
#include "test_util.hpp"

namespace test {

struct CostShape {
  std::vector<int32_t> grid_w, grid_h;
  int64_t cols = 8;
  int64_t pad = 0;
  bool indexed = false;  ///< rows scattered over larger arrays
  int32_t dtype = TOPV_F32;
  float common = 0;  ///< size of a vector that all features share
};

class CostCase {
 public:
  CostCase(const CostShape& shape, uint64_t seed) : s(shape) {
    Random random(seed * 977 + 1);
    for (size_t m = 0; m < s.grid_w.size(); ++m) {
      tokens.push_back(s.grid_w[m] * s.grid_h[m]);
      total += tokens.back();
      squares += int64_t{tokens.back()} * tokens.back();
    }
    const int64_t rows = s.indexed ? 2 * total + 3 : total, ld = s.cols + s.pad;
    source = Array(rows * ld, s.dtype);
    target = Array(rows * ld, s.dtype);
    std::vector<float> common_source, common_target;
    for (int64_t c = 0; c < s.cols; ++c) {
      common_source.push_back(s.common * random.normal());
      common_target.push_back(s.common * random.normal());
    }
    for (int64_t t = 0; t < total; ++t) {
      const int64_t row = s.indexed ? (2 * t + 5) % rows : t;
      if (s.indexed) index.push_back(static_cast<int32_t>(row));
      const float size = random.uniform(0.5f, 1.5f);
      for (int64_t c = 0; c < s.cols; ++c) {
        const float feature = size * random.normal();
        source.set(row * ld + c, common_source[static_cast<size_t>(c)] + feature);
        target.set(row * ld + c,
                   common_target[static_cast<size_t>(c)] + 0.7f * feature + 0.5f * random.normal());
      }
    }
    params.source = source.data();
    params.target = target.data();
    params.row_index = s.indexed ? index.data() : nullptr;
    params.grid_w = s.grid_w.data();
    params.grid_h = s.grid_h.data();
    params.ld_source = params.ld_target = ld;
    params.rows = rows;
    params.cols = s.cols;
    params.images = static_cast<int32_t>(s.grid_w.size());
    params.alpha = params.beta = 1;
    params.gamma = 0.01f;
    params.sigma = 10;
    params.dtype = s.dtype;
  }
  CostCase(const CostCase&) = delete;
  CostCase& operator=(const CostCase&) = delete;

  /// Runs transport_cost; cost, source_norm and target_norm hold the result.
  void run(const test::Context& ctx) {
    const float poison = std::numeric_limits<float>::quiet_NaN();
    cost.assign(static_cast<size_t>(squares), poison);
    source_norm.assign(static_cast<size_t>(total), poison);
    target_norm = source_norm;
    params.cost = cost.data();
    params.source_norm = source_norm.data();
    params.target_norm = target_norm.data();
    ctx.transport_cost(params);
  }

  CostShape s;
  std::vector<int32_t> tokens, index;
  int64_t total = 0, squares = 0;
  Array source{0, TOPV_F32}, target{0, TOPV_F32};
  std::vector<float> cost, source_norm, target_norm;
  topv_transport_cost_params params = {};
};

/// Runs sinkhorn over images of these token counts; NULL weights where a vector is empty.
inline std::vector<float> sinkhorn(const test::Context& ctx, const reference::Transport& o,
                                   const std::vector<float>& cost, const std::vector<float>& p,
                                   const std::vector<float>& q, const std::vector<int32_t>& tokens) {
  int64_t total = 0;
  for (const int32_t n : tokens) total += n;
  std::vector<float> importance(static_cast<size_t>(total), std::numeric_limits<float>::quiet_NaN());
  topv_sinkhorn_params params = {};
  params.cost = cost.data();
  params.source_weight = p.empty() ? nullptr : p.data();
  params.target_weight = q.empty() ? nullptr : q.data();
  params.tokens = tokens.data();
  params.importance = importance.data();
  params.images = static_cast<int32_t>(tokens.size());
  params.iterations = o.iterations;
  params.solver = o.solver;
  params.epsilon = static_cast<float>(o.epsilon);
  params.lambda = static_cast<float>(o.lambda);
  ctx.sinkhorn(params);
  return importance;
}

/// Runs token_select.
inline std::vector<int32_t> token_select(const test::Context& ctx, const std::vector<float>& importance,
                                         const std::vector<int32_t>& tokens, const std::vector<int32_t>& top,
                                         int recover_every) {
  int64_t count = 0;
  for (size_t m = 0; m < tokens.size(); ++m) {
    count += top[m];
    if (recover_every > 0) count += (tokens[m] - top[m] + recover_every - 1) / recover_every;
  }
  std::vector<int32_t> kept(static_cast<size_t>(count) + 1, -7777);
  topv_token_select_params params = {};
  params.importance = importance.data();
  params.tokens = tokens.data();
  params.top = top.data();
  params.kept = kept.data();
  params.images = static_cast<int32_t>(tokens.size());
  params.recover_every = recover_every;
  ctx.token_select(params);
  if (kept.back() != -7777) failed(__FILE__, __LINE__, "token_select wrote too much");
  kept.pop_back();
  return kept;
}

constexpr int kSolvers[] = {TOPV_SOLVER_ONE_SIDED, TOPV_SOLVER_UNBALANCED, TOPV_SOLVER_PRINTED,
                            TOPV_SOLVER_STANDARD_UV, TOPV_SOLVER_STANDARD_VU};

}  // namespace test
