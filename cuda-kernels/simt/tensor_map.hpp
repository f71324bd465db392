// What the copy engine knows of a tensor in global memory, and the order of bytes that it leaves in shared memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "simt/error.hpp"
#include "simt/sanitizers.hpp"

namespace simt {

/// Extents and boxes in elements, strides in bytes; fastest dimension first, unused ones have extent 1.
struct TensorMap {
  unsigned char* base = nullptr;
  int64_t extent[4], stride[4];
  int box[4], rank, element;
  bool swizzled;

  size_t box_bytes() const {
    return size_t(box[0]) * size_t(box[1]) * size_t(box[2]) * size_t(box[3]) * size_t(element);
  }
};
using Coordinates = std::array<int, 4>;

/// Refuses what cuTensorMapEncodeTiled refuses.
TensorMap make_tensor_map(const void* base, int element, std::initializer_list<int64_t> extent,
                          std::initializer_list<int64_t> stride, std::initializer_list<int> box,
                          bool swizzled);

/// 128-byte swizzle: the 16-byte piece of an address within 128 bytes is XORed with the 128-byte row within 1024.
inline unsigned char* swizzle128(unsigned char* p) {
  const uintptr_t address = uintptr_t(p);
  return reinterpret_cast<unsigned char*>(address ^ ((address >> 7 & 7) << 4));
}

/// Calls piece(shared, global, bytes) for the pieces of a box: 16 bytes, or one element where the tensor's edge runs
/// through them; global is nullptr outside the tensor.
template <typename F>
void for_each_piece(const TensorMap& map, const Coordinates& at, unsigned char* shared, F&& piece) {
  const int step = 16 / map.element;
  unsigned char* row = shared;
  for (int w = 0; w < map.box[3]; w++)
    for (int z = 0; z < map.box[2]; z++)
      for (int y = 0; y < map.box[1]; y++, row += map.box[0] * map.element) {
        const int64_t index[4] = {0, int64_t{at[1]} + y, int64_t{at[2]} + z, int64_t{at[3]} + w};
        int64_t offset = 0;
        bool inside = true;
        for (int i = 1; i < 4; i++) {
          inside = inside && index[i] >= 0 && index[i] < map.extent[i];
          offset += index[i] * map.stride[i];
        }
        auto element = [&](int64_t x) {
          return inside && x >= 0 && x < map.extent[0] ? map.base + offset + x * map.element : nullptr;
        };
        for (int x = 0; x < map.box[0]; x += step) {
          unsigned char* to = row + x * map.element;
          if (map.swizzled) to = swizzle128(to);
          const int64_t first = int64_t{at[0]} + x;
          if ((element(first) != nullptr) == (element(first + step - 1) != nullptr))
            piece(to, element(first), 16);
          else
            for (int e = 0; e < step; e++) piece(to + e * map.element, element(first + e), map.element);
        }
      }
}

}  // namespace simt
