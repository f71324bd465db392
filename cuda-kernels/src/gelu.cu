// y = activation(x) elementwise: GELU (erf), its tanh approximation, quick-GELU.
//
// Grid: threads over rows and packs of 16 bytes. Bound: memory bandwidth, one element read and one written; the exact
// form by its arithmetic (erfcf, about 40 instructions).
#include "common/activation.cuh"
#include "common/vectors.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

template <typename T, int V, int32_t kActivation>
__global__ void __launch_bounds__(256) gelu_kernel(topv_gelu_params p) {
  const int64_t j = item_index() * V;
  if (j >= p.cols) return;
  for (int64_t i = first_row(); i < p.rows; i += row_step()) {
    float x[V];
    load(static_cast<const T*>(p.x) + i * p.ldx + j, p.cols - j, x);
#pragma unroll
    for (int v = 0; v < V; ++v) x[v] = activate<kActivation>(x[v]);
    store(static_cast<T*>(p.y) + i * p.ldy + j, p.cols - j, x);
  }
}

template <typename T, int32_t kActivation>
void start(const Run& run, const topv_gelu_params& p) {
  constexpr int V = kPack<T>;
  const int64_t size = sizeof(T);
  if (aligned(p.x, p.ldx * size) && aligned(p.y, p.ldy * size)) {
    return launch(run, over(p.rows, ceil_div(p.cols, V)), gelu_kernel<T, V, kActivation>, p);
  }
  launch(run, over(p.rows, p.cols), gelu_kernel<T, 1, kActivation>, p);
}

template <typename T>
void start(const Run& run, const topv_gelu_params& p) {
  switch (p.activation) {
    case TOPV_ACTIVATION_GELU:
      return start<T, TOPV_ACTIVATION_GELU>(run, p);
    case TOPV_ACTIVATION_GELU_TANH:
      return start<T, TOPV_ACTIVATION_GELU_TANH>(run, p);
    default:
      return start<T, TOPV_ACTIVATION_QUICK_GELU>(run, p);
  }
}

}  // namespace

void gelu(const Run& run, const topv_gelu_params& p) {
  p.dtype == TOPV_F32 ? start<float>(run, p) : start<__nv_bfloat16>(run, p);
}

}  // namespace topv::cuda
