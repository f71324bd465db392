// Reductions over a warp or a block: the same bits in every thread and in every run.
#pragma once

#include "common/kernel.cuh"

namespace topv::cuda {

struct Sum {
  template <typename T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Largest {
  template <typename T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

template <typename Op, typename T>
__device__ __forceinline__ T warp_reduce(T x) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) x = Op()(x, __shfl_xor_sync(~0u, x, distance));
  return x;
}
template <typename T>
__device__ __forceinline__ T warp_sum(T x) {
  return warp_reduce<Sum>(x);
}

/// Each x[i] over a block of kThreads threads in x; every thread calls it. T{} must be neutral.
template <int kThreads, typename Op, int N, typename T>
__device__ __forceinline__ void block_reduce(T (&x)[N]) {
  constexpr int kWarps = kThreads / 32;
  TOPV_SHARED(T, partial, [N][kWarps]);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  __syncthreads();  // the last call's results have been read
#pragma unroll
  for (int i = 0; i < N; ++i) {
    x[i] = warp_reduce<Op>(x[i]);
    if (lane == 0) partial[i][warp] = x[i];
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < N; ++i) x[i] = warp_reduce<Op>(lane < kWarps ? partial[i][lane] : T{});
}
template <int kThreads, typename T>
__device__ __forceinline__ T block_sum(T x) {
  T one[1] = {x};
  block_reduce<kThreads, Sum>(one);
  return one[0];
}

/// Over kThreads consecutive threads: a warp, or the whole block.
template <int kThreads>
__device__ __forceinline__ float group_sum(float x) {
  if constexpr (kThreads == 32) {
    return warp_sum(x);
  } else {
    return block_sum<kThreads>(x);
  }
}

}  // namespace topv::cuda
