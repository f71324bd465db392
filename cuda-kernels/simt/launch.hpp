// Running a kernel.
#pragma once

#include <functional>

#include "simt/error.hpp"
#include "simt/types.hpp"

namespace simt {

struct Config {
  dim3 grid{1}, block{1};
  size_t shared = 0;         ///< bytes of dynamic shared memory
  unsigned cluster = 1;      ///< blocks per cluster, along x
  bool cooperative = false;  ///< grid_sync() may be used
};

/// How many blocks of this shape a device of so many multiprocessors holds at once. ThreadSanitizer knows fewer threads.
uint64_t resident_blocks(const Config& config, unsigned multiprocessors);

/// Throws Error for what CUDA would refuse.
void check(const Config& config);

/// Runs body once per CUDA thread, to the end. Throws Error for what CUDA would refuse, and for what the kernel did wrong.
/// Host threads take turns.
void launch(const Config& config, const std::function<void()>& body);

}  // namespace simt
