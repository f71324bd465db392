// What a launcher (the host function of a stem) is given.
#pragma once

#include <cstdint>
#include <string>

#include "common/cuda.hpp"
#include "fault.hpp"
#include "scratch.hpp"

namespace topv::cuda {

/// One GPU, as cudaGetDeviceProperties describes it.
struct Device {
  int ordinal = 0;
  int arch = 0;  ///< 10 * major + minor of the compute capability: 80 Ampere, 90 Hopper
  int multiprocessors = 0;
  int64_t shared_bytes = 0;  ///< most dynamic shared memory of a block
  int64_t l2_bytes = 0, memory_bytes = 0;
  std::string name;

  /// Whether code for sm_90a runs here: clusters, TMA, wgmma.
  bool hopper() const { return arch == 90; }
};

/// One call of an operation: where it runs, and what it may use.
struct Run {
  const Device& device;
  cudaStream_t stream;
  Scratch& scratch;  ///< device memory for intermediate results
  Fault* fault;      ///< device memory: the first thing found wrong (fault.hpp)
};

}  // namespace topv::cuda
