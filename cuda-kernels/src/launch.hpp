// Starting a kernel: launch(run, {grid, block, shared, cluster, cooperative}, kernel, arguments...).
#pragma once

#include <utility>

#include "common/kernel.cuh"
#include "run.hpp"

namespace topv::cuda {

struct Shape {
  dim3 grid, block;
  size_t shared = 0;         ///< bytes of dynamic shared memory
  unsigned cluster = 1;      ///< blocks per cluster (Hopper), along x
  bool cooperative = false;  ///< all blocks resident at once: grid_sync() may be used
};

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#ifndef TOPV_SIMT
/// A shape as the CUDA runtime wants it, for a kernel that is told of its demands.
class Config {
 public:
  Config(const Run& run, const Shape& shape, const void* kernel) {
    if (shape.shared > 0) allow_shared(run, shape.shared, kernel);
    if (shape.cluster > 8) allow_wide_clusters(run, kernel);
    config_.gridDim = shape.grid;
    config_.blockDim = shape.block;
    config_.dynamicSmemBytes = shape.shared;
    config_.stream = run.stream;
    config_.attrs = attributes_;
    if (shape.cluster > 1) {
      attributes_[config_.numAttrs].id = cudaLaunchAttributeClusterDimension;
      attributes_[config_.numAttrs++].val.clusterDim = {shape.cluster, 1, 1};
    }
    if (shape.cooperative) {
      attributes_[config_.numAttrs].id = cudaLaunchAttributeCooperative;
      attributes_[config_.numAttrs++].val.cooperative = 1;
    }
  }
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  const cudaLaunchConfig_t* get() const { return &config_; }

 private:
  /// 48 KB hold a block's static arrays and its dynamic memory; for more, a kernel must be told. It is told of all that
  /// there is: other threads may launch it, too.
  static void allow_shared(const Run& run, size_t bytes, const void* kernel) {
    const int64_t most = run.known(Known::shared_bytes, kernel, 0, 1, [&] {
      cudaFuncAttributes has;
      check(cudaFuncGetAttributes(&has, kernel), "launch");
      const int64_t rest = run.device.shared_bytes - static_cast<int64_t>(has.sharedSizeBytes);
      check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(rest)),
            "launch: shared memory");
      return rest;
    });
    if (static_cast<int64_t>(bytes) > most)
      fail(TOPV_UNSUPPORTED,
           "launch: this takes %lld bytes of shared memory, a block of this device has %lld",
           static_cast<long long>(bytes), static_cast<long long>(most));
  }
  static void allow_wide_clusters(const Run& run, const void* kernel) {
    run.known(Known::wide_clusters, kernel, 0, 1, [&] {
      check(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
            "launch: cluster");
      return 1;
    });
  }

  cudaLaunchAttribute attributes_[2];
  cudaLaunchConfig_t config_ = {};
};
#endif

/// Throws where the launch is refused. An empty grid is no launch.
template <typename... P, typename... A>
void launch(const Run& run, const Shape& shape, void (*kernel)(P...), A&&... arguments) {
  if (shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0) return;
  if (run.launches != nullptr) ++*run.launches;
#ifdef TOPV_SIMT
  simt::enqueue(run.stream, {shape.grid, shape.block, shape.shared, shape.cluster, shape.cooperative},
                [=] { kernel(P(arguments)...); });
#else
  const Config config(run, shape, reinterpret_cast<const void*>(kernel));
  check(cudaLaunchKernelEx(config.get(), kernel, P(std::forward<A>(arguments))...), "launch");
#endif
}

/// How many blocks of a shape the device holds at a time.
template <typename... P>
int64_t resident_blocks(const Run& run, const Shape& shape, void (*kernel)(P...)) {
#ifdef TOPV_SIMT
  static_cast<void>(kernel);
  return static_cast<int64_t>(simt::resident_blocks({shape.grid, shape.block, shape.shared},
                                                    static_cast<unsigned>(run.device.multiprocessors)));
#else
  const void* entry = reinterpret_cast<const void*>(kernel);
  return run.device.multiprocessors * run.known(Known::blocks, entry, shape.shared, 1, [&] {
    const Config config(run, shape, entry);  // it may have that much shared memory
    const auto threads = static_cast<int>(shape.block.x * shape.block.y * shape.block.z);
    int count = 0;
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&count, entry, threads, shape.shared),
          "launch: occupancy");
    return count;
  });
#endif
}

/// How many clusters of a shape the device holds at a time; 0 where such clusters do not fit.
template <typename... P>
int resident_clusters(const Run& run, const Shape& shape, void (*kernel)(P...)) {
#ifdef TOPV_SIMT
  static_cast<void>(kernel);
  return run.device.multiprocessors / static_cast<int>(shape.cluster);
#else
  const void* entry = reinterpret_cast<const void*>(kernel);
  return static_cast<int>(run.known(Known::clusters, entry, shape.shared, shape.cluster, [&] {
    const Config config(run, shape, entry);
    int count = 0;
    const cudaError_t result = cudaOccupancyMaxActiveClusters(&count, entry, config.get());
    if (result != cudaErrorInvalidClusterSize) check(result, "launch: clusters");
    return result == cudaSuccess ? count : 0;
  }));
#endif
}

}  // namespace topv::cuda
