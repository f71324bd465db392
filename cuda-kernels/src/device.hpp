// A GPU: which one, and what it has.
#pragma once

#include <cstdint>
#include <string>

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

/// Throws TOPV_UNSUPPORTED that says what is missing: the driver, the device, or its compute capability.
Device open_device(int ordinal);

/// The JSON object of topv_context_describe; cublaslt is empty where that is missing.
std::string describe(const Device& device, const std::string& cublaslt, int64_t launches);

}  // namespace topv::cuda
