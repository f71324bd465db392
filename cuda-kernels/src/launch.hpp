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

/// Throws where the launch is refused. An empty grid is no launch.
template <typename... P, typename... A>
void launch(const Run& run, const Shape& shape, void (*kernel)(P...), A&&... arguments) {
  if (shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0) return;
#ifdef TOPV_SIMT
  simt::enqueue(run.stream, {shape.grid, shape.block, shape.shared, shape.cluster, shape.cooperative},
                [=] { kernel(P(arguments)...); });
#else
  const void* entry = reinterpret_cast<const void*>(kernel);
  if (shape.shared > 48 * 1024) {
    check(cudaFuncSetAttribute(entry, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared)),
          "launch: shared memory");
  }
  if (shape.cluster > 8) {
    check(cudaFuncSetAttribute(entry, cudaFuncAttributeNonPortableClusterSizeAllowed, 1), "launch: cluster");
  }
  cudaLaunchAttribute attributes[2];
  cudaLaunchConfig_t config = {};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared;
  config.stream = run.stream;
  config.attrs = attributes;
  if (shape.cluster > 1) {
    attributes[config.numAttrs].id = cudaLaunchAttributeClusterDimension;
    attributes[config.numAttrs++].val.clusterDim = {shape.cluster, 1, 1};
  }
  if (shape.cooperative) {
    attributes[config.numAttrs].id = cudaLaunchAttributeCooperative;
    attributes[config.numAttrs++].val.cooperative = 1;
  }
  check(cudaLaunchKernelEx(&config, kernel, P(std::forward<A>(arguments))...), "launch");
#endif
}

}  // namespace topv::cuda
