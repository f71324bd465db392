// Element types: float, bfloat16 and half, read and written as float.
#pragma once

#include "common/kernel.cuh"
#include "topv/topv.h"

namespace topv::cuda {

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ __forceinline__ float to_float(__half x) { return __half2float(x); }

/// Rounded to nearest even.
template <typename T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ float from_float<float>(float x) {
  return x;
}
template <>
__device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}
template <>
__device__ __forceinline__ __half from_float<__half>(float x) {
  return __float2half_rn(x);
}

/// Calls body with an element of the type that a dtype names.
template <typename Body>
void with_element(int32_t dtype, const Body& body) {
  switch (dtype) {
    case TOPV_F32:
      return body(float());
    case TOPV_F16:
      return body(__half());
    default:
      return body(__nv_bfloat16());
  }
}

}  // namespace topv::cuda
