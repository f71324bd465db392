// y[i, :] = (x[i, :] - mean) / sqrt(var + eps) * weight + bias. The variance is taken about the mean: the difference of
// two large sums would cancel.
//
// Grid and bound: as rms_norm; the row stays in registers between its three passes.
#include "common/held_row.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

template <typename T, int V, int kLanes>
__global__ void __launch_bounds__(kRowThreads) layer_norm_kernel(topv_layer_norm_params p) {
  for (int64_t i = first_held_row<kLanes>(); i < p.rows; i += held_row_step<kLanes>()) {
    const HeldRow<T, V, kLanes> row(static_cast<const T*>(p.x) + i * p.ldx, p.cols);
    float sum = 0;
    row.for_each([&](int64_t, int64_t, const float(&x)[V]) {
#pragma unroll
      for (int v = 0; v < V; ++v) sum += x[v];
    });
    const float mean = group_sum<kLanes>(sum) / static_cast<float>(p.cols);
    float square = 0;
    row.for_each([&](int64_t, int64_t n, const float(&x)[V]) {
#pragma unroll
      for (int v = 0; v < V; ++v) {
        const float centred = v < n ? x[v] - mean : 0.0f;
        square = fmaf(centred, centred, square);
      }
    });
    const float scale = 1.0f / sqrtf(group_sum<kLanes>(square) / static_cast<float>(p.cols) + p.eps);
    T* y = static_cast<T*>(p.y) + i * p.ldy;
    row.for_each([&](int64_t j, int64_t n, const float(&x)[V]) {
      float weight[V], bias[V], out[V];
      load(p.weight + j, n, weight);
      load(p.bias + j, n, bias);
#pragma unroll
      for (int v = 0; v < V; ++v) out[v] = fmaf((x[v] - mean) * scale, weight[v], bias[v]);
      store(y + j, n, out);
    });
  }
}

struct LayerNorm {
  template <typename T, int V, int kLanes>
  static auto kernel() {
    return layer_norm_kernel<T, V, kLanes>;
  }
};

}  // namespace

void layer_norm(const Run& run, const topv_layer_norm_params& p) {
  start_rows<LayerNorm>(run, p, aligned(p.weight, 0) && aligned(p.bias, 0));
}

}  // namespace topv::cuda
