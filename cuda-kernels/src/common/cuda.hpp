// The CUDA runtime as host code sees it: the toolkit's, or the emulation's (simt/) in tests.
#pragma once

#ifdef TOPV_SIMT
#include "simt/cuda_runtime.hpp"
#else
#include <cuda_runtime.h>
#endif

#include "error.hpp"

namespace topv::cuda {

/// Throws TOPV_BACKEND_ERROR (TOPV_OUT_OF_MEMORY for that one) with CUDA's own words unless result is cudaSuccess.
inline void check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  fail(result == cudaErrorMemoryAllocation ? TOPV_OUT_OF_MEMORY : TOPV_BACKEND_ERROR, "%s: %s", what,
       cudaGetErrorString(result));
}

}  // namespace topv::cuda
