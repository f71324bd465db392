// TopV: transport_cost, sinkhorn, token_select.
#include <string>

#include "validate/check.hpp"

namespace topv {
namespace {

std::string at(const char* field, int32_t image) {
  return std::string(field) + "[" + std::to_string(image) + "]";
}

/// Token counts of the images: at least one each, and their squares in reach.
void token_counts(const Check& check, const int32_t* tokens, int32_t images) {
  check.at_least("images", images, 1);
  check.pointer("tokens", tokens);
  int64_t squares = 0;
  for (int32_t m = 0; m < images; ++m) {
    check.at_least(at("tokens", m).c_str(), tokens[m], 1);
    squares = check.sum("tokens", squares, check.extent("tokens", tokens[m], tokens[m]));
  }
}

}  // namespace

void validate_transport_cost(const topv_transport_cost_params& p) {
  const Check check("transport_cost");
  check.at_least("images", p.images, 1);
  check.at_least("rows", p.rows, 1);
  check.at_least("cols", p.cols, 1);
  check.dtype("dtype", p.dtype);
  check.at_least("ld_source", p.ld_source, "cols", p.cols);
  check.at_least("ld_target", p.ld_target, "cols", p.cols);
  check.extent("source", p.rows, p.ld_source);
  check.extent("target", p.rows, p.ld_target);
  check.finite("alpha", p.alpha);
  check.finite("beta", p.beta);
  check.finite("gamma", p.gamma);
  check.positive("sigma", p.sigma);
  check.pointer("grid_w", p.grid_w);
  check.pointer("grid_h", p.grid_h);
  int64_t tokens = 0, squares = 0;
  for (int32_t m = 0; m < p.images; ++m) {
    check.at_least(at("grid_w", m).c_str(), p.grid_w[m], 1);
    check.at_least(at("grid_h", m).c_str(), p.grid_h[m], 1);
    const int64_t n = check.extent("grid_w", p.grid_w[m], p.grid_h[m]);
    tokens = check.sum("grid_w * grid_h", tokens, n);
    squares = check.sum("grid_w * grid_h", squares, check.extent("cost", n, n));
  }
  if (p.row_index == nullptr) check.at_least("rows", p.rows, "the sum of grid_w * grid_h", tokens);
  check.pointer("source", p.source);
  check.pointer("target", p.target);
  check.pointer("cost", p.cost);
  check.pointer("source_norm", p.source_norm);
  check.pointer("target_norm", p.target_norm);
}

void validate_sinkhorn(const topv_sinkhorn_params& p) {
  const Check check("sinkhorn");
  check.range("solver", p.solver, TOPV_SOLVER_ONE_SIDED, TOPV_SOLVER_STANDARD_VU);
  if (p.solver != TOPV_SOLVER_ONE_SIDED) check.range("iterations", p.iterations, 1, 10000);
  check.positive("epsilon", p.epsilon);
  if (p.solver == TOPV_SOLVER_UNBALANCED) check.positive("lambda", p.lambda);
  token_counts(check, p.tokens, p.images);
  check.pointer("cost", p.cost);
  check.pointer("importance", p.importance);
}

void validate_token_select(const topv_token_select_params& p) {
  const Check check("token_select");
  token_counts(check, p.tokens, p.images);
  check.pointer("top", p.top);
  check.at_least("recover_every", p.recover_every, 0);
  bool nothing_kept = true;
  for (int32_t m = 0; m < p.images; ++m) {
    check.range(at("top", m).c_str(), p.top[m], 0, p.tokens[m]);
    if (p.top[m] > 0 || p.recover_every > 0) nothing_kept = false;
  }
  check.pointer("importance", p.importance);
  check.pointer("kept", p.kept, nothing_kept);
}

}  // namespace topv
