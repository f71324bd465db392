// Elements moved 16 bytes at a time, and threads laid over the rows of a matrix.
#pragma once

#include "common/elements.cuh"
#include "launch.hpp"

namespace topv::cuda {

/// V elements that lie side by side: one access of up to 16 bytes, or several.
template <typename T, int V>
struct alignas(V * sizeof(T) < 16 ? V * sizeof(T) : 16) Pack {
  T at[V];
};

/// Elements of T in 16 bytes.
template <typename T>
constexpr int kPack = 16 / static_cast<int>(sizeof(T));

/// x = p[0 .. V).
template <int V, typename T>
__device__ __forceinline__ void load(const T* p, float (&x)[V]) {
  const Pack<T, V> pack = *reinterpret_cast<const Pack<T, V>*>(p);
#pragma unroll
  for (int i = 0; i < V; ++i) x[i] = to_float(pack.at[i]);
}

/// The first n, zeros for the rest; beyond them nothing is read.
template <int V, typename T>
__device__ __forceinline__ void load(const T* p, int64_t n, float (&x)[V]) {
  if (n >= V) return load(p, x);
#pragma unroll
  for (int i = 0; i < V; ++i) x[i] = i < n ? to_float(p[i]) : 0.0f;
}

template <int V, typename T>
__device__ __forceinline__ void store(T* p, const float (&x)[V]) {
  Pack<T, V> pack;
#pragma unroll
  for (int i = 0; i < V; ++i) pack.at[i] = from_float<T>(x[i]);
  *reinterpret_cast<Pack<T, V>*>(p) = pack;
}

template <int V, typename T>
__device__ __forceinline__ void store(T* p, int64_t n, const float (&x)[V]) {
  if (n >= V) return store(p, x);
#pragma unroll
  for (int i = 0; i < V; ++i) {
    if (i < n) p[i] = from_float<T>(x[i]);
  }
}

/// Whether every row of an array begins at a multiple of bytes.
inline bool aligned(const void* array, int64_t stride_bytes, int64_t bytes = 16) {
  return (static_cast<int64_t>(reinterpret_cast<uintptr_t>(array)) | stride_bytes) % bytes == 0;
}

/// Threads over [rows, items]: a block lies along as much of a row as it can, and takes several rows where they are
/// short. Thread (x, y) of the grid has item x of rows y, y + gridDim.y * blockDim.y, ...
inline Shape over(int64_t rows, int64_t items, unsigned threads = 256) {
  unsigned x = 1;
  while (x < threads && x < items) x *= 2;
  const int64_t y = ceil_div(rows, threads / x);
  return {dim3(static_cast<unsigned>(ceil_div(items, x)), static_cast<unsigned>(y < 65535 ? y : 65535)),
          dim3(x, threads / x)};
}

__device__ __forceinline__ int64_t item_index() { return int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
__device__ __forceinline__ int64_t first_row() { return int64_t{blockIdx.y} * blockDim.y + threadIdx.y; }
__device__ __forceinline__ int64_t row_step() { return int64_t{gridDim.y} * blockDim.y; }

}  // namespace topv::cuda
