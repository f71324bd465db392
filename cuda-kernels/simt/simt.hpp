// The CUDA execution model on the host: what a kernel's source sees in place of CUDA. See README.md.
#pragma once

#include "simt/atomics.hpp"
#include "simt/builtins.hpp"
#include "simt/cuda_runtime.hpp"
#include "simt/math.hpp"
#include "simt/types.hpp"

#define __device__
#define __host__
#define __global__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __grid_constant__

#define TOPV_SHARED(type, name, dims)                   \
  typedef type name##_shared_t dims;                    \
  auto& name = simt::shared_array<name##_shared_t>([] { \
    static const char key = 0;                          \
    return static_cast<const void*>(&key);              \
  }())
#define TOPV_ARENA(name) simt::Arena name

namespace simt {

/// Puts a kernel on a stream.
template <typename F>
void enqueue(cudaStream_t stream, const Config& config, const F& body) {
  check(config);
  enqueue(stream, [config, body] { launch(config, body); });
}

}  // namespace simt
