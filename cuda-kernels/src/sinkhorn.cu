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

  const auto solve = [&](int rows) {
    if (batch.images == 0) return;
    if (rows == 0 || !scale_on_clusters(run, batch, rows)) scale_on_grid(run, batch);
    solve_logarithms(run, batch);
    batch.images = 0;
  };
  for (int rows = 0; rows <= kMostRows; ++rows) {  // images of a form go together
    int64_t cost = 0, token = 0;
    for (int m = 0; m < p.images; ++m) {
      const int64_t n = p.tokens[m];
      if (cluster_rows(run, n) == rows) batch.image[batch.images++] = {cost, token, p.tokens[m], m};
      if (batch.images == kImages) solve(rows);
      cost += n * n;
      token += n;
    }
    solve(rows);
  }
}

}  // namespace topv::cuda
