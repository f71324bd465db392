// y[i, j] = silu(x[i, j]) * x[i, cols + j].
//
// Grid: rows in y, chunks of a row in x. Bound: memory bandwidth, 3 elements moved per output.
#include "common/elements.cuh"
#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void __launch_bounds__(kThreads) silu_mul_kernel(topv_silu_mul_params p) {
  const int64_t j = int64_t{blockIdx.x} * kThreads + threadIdx.x, i = blockIdx.y;
  if (j >= p.cols) return;
  const T* x = static_cast<const T*>(p.x) + i * p.ldx;
  const float gate = to_float(x[j]), up = to_float(x[p.cols + j]);
  static_cast<T*>(p.y)[i * p.ldy + j] = from_float<T>(gate / (1.0f + expf(-gate)) * up);
}

}  // namespace

void silu_mul(const Run& run, const topv_silu_mul_params& p) {
  const Shape shape = {dim3(unsigned(ceil_div(p.cols, kThreads)), unsigned(p.rows)), dim3(kThreads)};
  launch(run, shape, p.dtype == TOPV_F32 ? silu_mul_kernel<float> : silu_mul_kernel<__nv_bfloat16>, p);
}

}  // namespace topv::cuda
