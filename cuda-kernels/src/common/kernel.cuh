// What every kernel file includes first: CUDA, or its emulation (simt/) in tests.
//
//   TOPV_SHARED(float, tile, [16][17]);       a static shared array, at the top of a kernel's body
//   TOPV_ARENA(arena);                        the dynamic shared memory of the launch, taken piece by piece:
//   float* x = arena.take<float>(n, 128);     n elements, aligned to 128 bytes
//   #if TOPV_SM90 / #if TOPV_SM90A            bodies that need Hopper: clusters, mbarrier, TMA / wgmma, setmaxnreg
//
// Never __shared__, <<<>>>, asm or cooperative_groups in a kernel: those are behind ptx.cuh and launch.hpp.
#pragma once

#include "common/cuda.hpp"

#ifdef TOPV_SIMT
#include "simt/simt.hpp"
#define TOPV_SM90 1
#define TOPV_SM90A 1
#else
#include <cooperative_groups.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <cstring>

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#define TOPV_SM90 1
#else
#define TOPV_SM90 0
#endif
#if !defined(__CUDA_ARCH__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define TOPV_SM90A 1
#else
#define TOPV_SM90A 0
#endif

#define TOPV_SHARED(type, name, dims) __shared__ type name dims
#define TOPV_ARENA(name) ::topv::cuda::Arena name

namespace topv::cuda {

extern __shared__ __align__(1024) unsigned char dynamic_shared[];

/// Splits the dynamic shared memory of a launch.
struct Arena {
  size_t used = 0;
  template <typename T>
  __device__ __forceinline__ T* take(size_t count, size_t alignment = 16) {
    used = (used + alignment - 1) / alignment * alignment;
    T* piece = reinterpret_cast<T*>(dynamic_shared + used);
    used += count * sizeof(T);
    return piece;
  }
};

}  // namespace topv::cuda
#endif

#include "common/ptx.cuh"
