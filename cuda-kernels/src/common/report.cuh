// The device side of fault.hpp.
#pragma once

#include "common/kernel.cuh"
#include "fault.hpp"

namespace topv::cuda {

/// Keeps the first fault of a stream; later ones are dropped.
__device__ __forceinline__ void report(Fault* fault, FaultKind kind, long long a = 0, long long b = 0,
                                       long long c = 0, double x = 0) {
  int* const word = reinterpret_cast<int*>(&fault->kind);
  if (atomicCAS(word, 0, static_cast<int>(kind)) == 0) {
    fault->a = a;
    fault->b = b;
    fault->c = c;
    fault->x = x;
  }
}

}  // namespace topv::cuda
