// Every instruction that has no CUDA C++ spelling, behind one small function. The device's side is in common/ptx/, the
// same functions for the emulated device are in simt/ptx/: a new wrapper is written twice, and tested by conformance.
#pragma once

namespace topv::ptx {

/// Two floats rounded to nearest even, the first in the lower half.
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  uint32_t bits;
  memcpy(&bits, &pair, 4);
  return bits;
}
__device__ __forceinline__ uint32_t pack_f16(float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  uint32_t bits;
  memcpy(&bits, &pair, 4);
  return bits;
}
/// The same for either element type.
template <typename T>
__device__ __forceinline__ uint32_t pack(float low, float high);
template <>
__device__ __forceinline__ uint32_t pack<__nv_bfloat16>(float low, float high) {
  return pack_bf16(low, high);
}
template <>
__device__ __forceinline__ uint32_t pack<__half>(float low, float high) {
  return pack_f16(low, high);
}

}  // namespace topv::ptx

#ifdef TOPV_SIMT
#include "simt/ptx.hpp"
#else
#include "common/ptx/async_copy.cuh"
#include "common/ptx/cluster.cuh"
#include "common/ptx/mbarrier.cuh"
#include "common/ptx/memory.cuh"
#include "common/ptx/mma.cuh"
#include "common/ptx/tma.cuh"
#include "common/ptx/warp.cuh"
#include "common/ptx/wgmma.cuh"
#endif
