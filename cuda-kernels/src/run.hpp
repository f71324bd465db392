// What a launcher (the host function of a stem) is given.
#pragma once

#include <cstdint>
#include "common/cuda.hpp"
#include "device.hpp"
#include "fault.hpp"
#include "known.hpp"
#include "scratch.hpp"

namespace topv::cuda {

/// One call of an operation: where it runs, and what it may use.
struct Run {
  const Device& device;
  Known& known;  ///< what the CUDA runtime has said about kernels
  cudaStream_t stream;
  Scratch& scratch;             ///< device memory for intermediate results
  Fault* fault;                 ///< device memory: the first thing found wrong (fault.hpp)
  int64_t* launches = nullptr;  ///< nullable: counts the kernels started
};

}  // namespace topv::cuda
