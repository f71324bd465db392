// c = activation(x + bias) + c, after a product in float32.
//
// Grid: threads over rows and packs of 4 elements. Bound: memory bandwidth; x was written just before and is mostly in L2.
#include "common/activation.cuh"
#include "common/vectors.cuh"
#include "gemm_kernels.hpp"

namespace topv::cuda {
namespace {

template <typename C, int V>
__global__ void __launch_bounds__(256) gemm_epilogue_kernel(EpilogueParams p) {
  const int64_t j = item_index() * V, n = p.n - j;
  if (n <= 0) return;
  float bias[V] = {};
  if (p.bias != nullptr) {
#pragma unroll
    for (int v = 0; v < V; ++v) bias[v] = v < n ? p.bias[j + v] : 0.0f;
  }
  for (int64_t i = first_row(); i < p.m; i += row_step()) {
    C* const c = static_cast<C*>(p.c) + i * p.ldc + j;
    float x[V], old[V] = {};
    load(p.x + i * p.ldx + j, n, x);
    if (p.accumulate != 0) load(c, n, old);
#pragma unroll
    for (int v = 0; v < V; ++v) x[v] = activate(x[v] + bias[v], p.activation) + old[v];
    store(c, n, x);
  }
}

template <typename C>
void start(const Run& run, const EpilogueParams& p) {
  const int64_t size = sizeof(C);
  if (aligned(p.c, p.ldc * size, 4 * size)) {
    return launch(run, over(p.m, ceil_div(p.n, 4)), gemm_epilogue_kernel<C, 4>, p);
  }
  launch(run, over(p.m, p.n), gemm_epilogue_kernel<C, 1>, p);
}

}  // namespace

void gemm_epilogue(const Run& run, const EpilogueParams& p) {
  if (p.c_dtype == TOPV_F32) return start<float>(run, p);
  start<__nv_bfloat16>(run, p);
}

}  // namespace topv::cuda
