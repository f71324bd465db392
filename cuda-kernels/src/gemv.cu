// c = activation(a w^T + bias) + c for the few rows of a decode step.
//
// Grid: a warp per 2 columns of c, 8 warps per block. A lane reads 16 bytes of w at a time, 4 steps of both columns in
// flight, and multiplies them with the same elements of every row of a, which stay in L1. Bound: memory bandwidth, w is
// read once: its n k elements; 23 us for 12288 x 4096 in bfloat16 at 4.3 TB/s.
#include "common/activation.cuh"
#include "common/reduce.cuh"
#include "common/vectors.cuh"
#include "gemm_kernels.hpp"

namespace topv::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kColumns = 2;  ///< per warp
constexpr int kSteps = 4;    ///< loads of a column in flight

/// x = p[0 .. V), zeros from n on; any alignment where not kAligned.
template <bool kAligned, int V, typename T>
__device__ __forceinline__ void load_row(const T* p, int64_t n, float (&x)[V]) {
  if constexpr (kAligned) {
    load(p, n, x);
  } else {
#pragma unroll
    for (int v = 0; v < V; ++v) x[v] = v < n ? to_float(p[v]) : 0.0f;
  }
}

template <typename T, typename C, int M, bool kAligned>
__global__ void __launch_bounds__(32 * kWarps, 2) gemv_kernel(GemvParams p) {
  constexpr int V = kPack<T>, kStride = 32 * V;
  using Vector = Pack<T, V>;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t first = (int64_t{blockIdx.x} * kWarps + warp) * kColumns;
  if (first >= p.n) return;
  const T* const a = static_cast<const T*>(p.a);
  const T* w[kColumns];
#pragma unroll
  for (int j = 0; j < kColumns; ++j) {
    w[j] = static_cast<const T*>(p.w) + (first + j < p.n ? first + j : first) * p.ldw;
  }
  float sum[M][kColumns] = {};
  const auto add = [&](const Vector(&weights)[kColumns], int64_t k) {
#pragma unroll
    for (int i = 0; i < M; ++i) {
      float x[V];
      load_row<kAligned>(a + i * p.lda + k, p.k - k, x);
#pragma unroll
      for (int j = 0; j < kColumns; ++j) {
#pragma unroll
        for (int v = 0; v < V; ++v) sum[i][j] = fmaf(x[v], to_float(weights[j].at[v]), sum[i][j]);
      }
    }
  };

  int64_t k = lane * V;
  for (; k + (kSteps - 1) * kStride < p.k; k += kSteps * kStride) {
    Vector weights[kSteps][kColumns];
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
#pragma unroll
      for (int j = 0; j < kColumns; ++j) {
        weights[s][j] = *reinterpret_cast<const Vector*>(w[j] + k + s * kStride);
      }
    }
#pragma unroll
    for (int s = 0; s < kSteps; ++s) add(weights[s], k + s * kStride);
  }
  for (; k < p.k; k += kStride) {
    Vector weights[kColumns];
#pragma unroll
    for (int j = 0; j < kColumns; ++j) weights[j] = *reinterpret_cast<const Vector*>(w[j] + k);
    add(weights, k);
  }

  // Lane i * kColumns + j finishes element (i, j).
  float mine = 0;
#pragma unroll
  for (int i = 0; i < M; ++i) {
#pragma unroll
    for (int j = 0; j < kColumns; ++j) {
      const float total = warp_sum(sum[i][j]);
      if (lane == i * kColumns + j) mine = total;
    }
  }
  const int64_t j = first + lane % kColumns;
  if (lane >= M * kColumns || j >= p.n) return;
  if (p.bias != nullptr) mine += p.bias[j];
  mine = activate(mine, p.activation);
  C* const c = static_cast<C*>(p.c) + lane / kColumns * p.ldc + j;
  *c = from_float<C>(p.accumulate != 0 ? mine + to_float(*c) : mine);
}

template <typename T, typename C, int M>
void start(const Run& run, const GemvParams& p) {
  const Shape shape = {dim3(unsigned(ceil_div(p.n, kWarps * kColumns))), dim3(32 * kWarps)};
  if (aligned(p.a, p.lda * int64_t{sizeof(T)})) {
    launch(run, shape, gemv_kernel<T, C, M, true>, p);
  } else {
    launch(run, shape, gemv_kernel<T, C, M, false>, p);
  }
}

template <typename T, typename C>
void start(const Run& run, const GemvParams& p) {
  static_assert(kGemvRows == 4, "the cases below");
  switch (p.m) {
    case 1:
      return start<T, C, 1>(run, p);
    case 2:
      return start<T, C, 2>(run, p);
    case 3:
      return start<T, C, 3>(run, p);
    default:
      return start<T, C, 4>(run, p);
  }
}

}  // namespace

void gemv(const Run& run, const GemvParams& p) {
  if (p.dtype == TOPV_F32) return start<float, float>(run, p);
  if (p.c_dtype == TOPV_F32) return start<__nv_bfloat16, float>(run, p);
  start<__nv_bfloat16, __nv_bfloat16>(run, p);
}

}  // namespace topv::cuda
