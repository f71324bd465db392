// Importance of each source token: row sums of the contribution matrix of entropic optimal transport (topv.h).
//
// K = exp(-(C - min C) / epsilon) is applied in float32 and the scaling vectors u, v are iterated; where a sum K v or
// K' u leaves the range in which float32 keeps its precision, the image is solved again in the logarithmic domain in
// double, by a second kernel that ends at once when there is no such image. The forms are listed in sinkhorn.cuh.
#include "sinkhorn.cuh"

namespace topv::cuda {

void sinkhorn(const Run& run, const topv_sinkhorn_params& p) {
  using namespace transport;
  int64_t total = 0;
  for (int m = 0; m < p.images; ++m) total += p.tokens[m];

  Batch batch = {};
  batch.cost = p.cost;
  batch.source_weight = p.source_weight;
  batch.target_weight = p.target_weight;
  batch.importance = p.importance;
  batch.fault = run.fault;
  batch.state = run.scratch.take<State>(p.images);
  batch.p = run.scratch.take<float>(total);
  batch.q = run.scratch.take<float>(total);
  batch.solver = p.solver;
  batch.iterations = p.solver == TOPV_SOLVER_ONE_SIDED ? 1 : p.iterations;
  batch.epsilon = p.epsilon;
  batch.power = p.solver == TOPV_SOLVER_UNBALANCED ? p.lambda / (p.lambda + p.epsilon) : 1.0f;

  int64_t cost = 0, token = 0;
  for (int m = 0; m < p.images; ++m) {
    batch.image[batch.images++] = {cost, token, p.tokens[m], m};
    cost += int64_t{p.tokens[m]} * p.tokens[m];
    token += p.tokens[m];
    if (batch.images < kImages && m < p.images - 1) continue;
    scale_on_grid(run, batch);
    solve_logarithms(run, batch);
    batch.images = 0;
  }
}

}  // namespace topv::cuda
