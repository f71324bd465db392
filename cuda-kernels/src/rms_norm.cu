// y[i, :] = x[i, :] / sqrt(mean(x[i, :]^2) + eps) * weight.
//
// Grid: a warp per row up to 512 (F32) or 1024 (BF16) columns, else a block of 256 threads per row. The row is read once
// and held in registers (up to 4096 or 8192 columns; the rest of longer rows is read again). Bound: memory bandwidth, one
// element read and one written.
#include "common/held_row.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

template <typename T, int V, int kLanes>
__global__ void __launch_bounds__(kRowThreads) rms_norm_kernel(topv_rms_norm_params p) {
  for (int64_t i = first_held_row<kLanes>(); i < p.rows; i += held_row_step<kLanes>()) {
    const HeldRow<T, V, kLanes> row(static_cast<const T*>(p.x) + i * p.ldx, p.cols);
    float square = 0;
    row.for_each([&](int64_t, int64_t, const float(&x)[V]) {
#pragma unroll
      for (int v = 0; v < V; ++v) square = fmaf(x[v], x[v], square);
    });
    const float scale = 1.0f / sqrtf(group_sum<kLanes>(square) / static_cast<float>(p.cols) + p.eps);
    T* y = static_cast<T*>(p.y) + i * p.ldy;
    row.for_each([&](int64_t j, int64_t n, const float(&x)[V]) {
      float weight[V], out[V];
      load(p.weight + j, n, weight);
#pragma unroll
      for (int v = 0; v < V; ++v) out[v] = x[v] * scale * weight[v];
      store(y + j, n, out);
    });
  }
}

struct RmsNorm {
  template <typename T, int V, int kLanes>
  static auto kernel() {
    return rms_norm_kernel<T, V, kLanes>;
  }
};

}  // namespace

void rms_norm(const Run& run, const topv_rms_norm_params& p) {
  start_rows<RmsNorm>(run, p, aligned(p.weight, 0));
}

}  // namespace topv::cuda
