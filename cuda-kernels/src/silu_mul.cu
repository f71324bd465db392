// y[i, j] = silu(x[i, j]) * x[i, cols + j].
//
// Grid: threads over rows and packs of 16 bytes. Bound: memory bandwidth, two elements read and one written.
#include "common/vectors.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

template <typename T, int V>
__global__ void __launch_bounds__(256) silu_mul_kernel(topv_silu_mul_params p) {
  const int64_t j = item_index() * V;
  if (j >= p.cols) return;
  for (int64_t i = first_row(); i < p.rows; i += row_step()) {
    const T* x = static_cast<const T*>(p.x) + i * p.ldx + j;
    float gate[V], up[V], out[V];
    load(x, p.cols - j, gate);
    load(x + p.cols, p.cols - j, up);
#pragma unroll
    for (int v = 0; v < V; ++v) out[v] = __fdividef(gate[v], 1.0f + expf(-gate[v])) * up[v];
    store(static_cast<T*>(p.y) + i * p.ldy + j, p.cols - j, out);
  }
}

template <typename T>
void start(const Run& run, const topv_silu_mul_params& p) {
  constexpr int V = kPack<T>;
  const int64_t size = sizeof(T);
  if (aligned(p.x, p.ldx * size) && p.cols % V == 0 && aligned(p.y, p.ldy * size)) {
    return launch(run, over(p.rows, p.cols / V), silu_mul_kernel<T, V>, p);
  }
  launch(run, over(p.rows, p.cols), silu_mul_kernel<T, 1>, p);
}

}  // namespace

void silu_mul(const Run& run, const topv_silu_mul_params& p) {
  p.dtype == TOPV_F32 ? start<float>(run, p) : start<__nv_bfloat16>(run, p);
}

}  // namespace topv::cuda
