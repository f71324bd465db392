// Copies of rows in the widest unit that their addresses allow.
#pragma once

#include <initializer_list>

#include "common/vectors.cuh"

namespace topv::cuda {

/// Bytes of the widest unit (16, 4, 2 or 1) that divides all of these addresses, strides and lengths.
inline int copy_unit(std::initializer_list<int64_t> all) {
  int64_t bits = 0;
  for (const int64_t one : all) bits |= one;
  return bits % 16 == 0 ? 16 : bits % 4 == 0 ? 4 : bits % 2 == 0 ? 2 : 1;
}
inline int64_t address(const void* p) { return static_cast<int64_t>(reinterpret_cast<uintptr_t>(p)); }

constexpr int kCopiesInFlight = 4;

/// dst[0 .. count) = src[0 .. count) by the threads lane = 0 .. lanes - 1 of a row.
template <typename Unit>
__device__ __forceinline__ void copy_row(Unit* dst, const Unit* src, int64_t count, int64_t lane,
                                         int64_t lanes) {
  for (int64_t j = lane; j < count; j += kCopiesInFlight * lanes) {
    Unit held[kCopiesInFlight];
#pragma unroll
    for (int h = 0; h < kCopiesInFlight; ++h) {
      if (j + h * lanes < count) held[h] = src[j + h * lanes];
    }
#pragma unroll
    for (int h = 0; h < kCopiesInFlight; ++h) {
      if (j + h * lanes < count) dst[j + h * lanes] = held[h];
    }
  }
}

/// Threads over rows of count units, for copy_row with lane = item_index() of row_lanes().
inline Shape over_copies(int64_t rows, int64_t count) { return over(rows, ceil_div(count, kCopiesInFlight)); }
__device__ __forceinline__ int64_t row_lanes() { return int64_t{gridDim.x} * blockDim.x; }

}  // namespace topv::cuda
