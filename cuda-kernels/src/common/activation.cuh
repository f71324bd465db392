// The activations of topv.h.
#pragma once

#include "common/kernel.cuh"
#include "topv/topv.h"

namespace topv::cuda {

__device__ __forceinline__ float sigmoid_of(float x, float argument) {
  return __fdividef(x, 1.0f + expf(-argument));
}

template <int32_t kActivation>
__device__ __forceinline__ float activate(float x) {
  if constexpr (kActivation == TOPV_ACTIVATION_GELU) {
    return 0.5f * x * erfcf(-0.70710678f * x);  // keeps its relative precision for negative x
  } else if constexpr (kActivation == TOPV_ACTIVATION_GELU_TANH) {
    return sigmoid_of(x,
                      1.5957691216f * x * fmaf(x * x, 0.044715f, 1.0f));  // (1 + tanh(u)) / 2 = sigmoid(2u)
  } else if constexpr (kActivation == TOPV_ACTIVATION_QUICK_GELU) {
    return sigmoid_of(x, 1.702f * x);
  } else {
    return x;
  }
}

__device__ __forceinline__ float activate(float x, int32_t activation) {
  switch (activation) {
    case TOPV_ACTIVATION_GELU:
      return activate<TOPV_ACTIVATION_GELU>(x);
    case TOPV_ACTIVATION_GELU_TANH:
      return activate<TOPV_ACTIVATION_GELU_TANH>(x);
    case TOPV_ACTIVATION_QUICK_GELU:
      return activate<TOPV_ACTIVATION_QUICK_GELU>(x);
    default:
      return x;
  }
}

}  // namespace topv::cuda
