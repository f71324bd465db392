// Sums over a warp or a block, the same bits in every thread and in every run.
#pragma once

#include "common/kernel.cuh"

namespace topv::cuda {

template <typename T>
__device__ __forceinline__ T warp_sum(T x) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(~0u, x, distance);
  return x;
}

/// Over a block of kThreads threads in x; every thread calls it.
template <int kThreads, typename T>
__device__ __forceinline__ T block_sum(T x) {
  constexpr int kWarps = kThreads / 32;
  TOPV_SHARED(T, partial, [kWarps]);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  x = warp_sum(x);
  __syncthreads();  // the last call's sums have been read
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  return warp_sum(lane < kWarps ? partial[lane] : T{});
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
