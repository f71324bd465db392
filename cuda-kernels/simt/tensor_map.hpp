// What the copy engine knows of a tensor in global memory, and the order of bytes that it leaves in shared memory.
#pragma once

#include <array>
#include <initializer_list>
#include <vector>

namespace simt {

/// Extents and boxes in elements, strides in bytes; fastest dimension first, unused ones have extent 1.
struct TensorMap {
  unsigned char* base;
  int64_t extent[4], stride[4];
  int box[4], rank, element;
  bool swizzled;

  size_t box_bytes() const { return size_t(box[0]) * box[1] * box[2] * box[3] * element; }
};

/// 128-byte swizzle: the 16-byte piece of an address within 128 bytes is XORed with the 128-byte row within 1024.
inline unsigned char* swizzle128(unsigned char* p) {
  const uintptr_t address = uintptr_t(p);
  return reinterpret_cast<unsigned char*>(address ^ ((address >> 7 & 7) << 4));
}

/// Refuses what cuTensorMapEncodeTiled refuses.
inline TensorMap make_tensor_map(const void* base, int element, std::initializer_list<int64_t> extent,
                                 std::initializer_list<int64_t> stride, std::initializer_list<int> box,
                                 bool swizzled) {
  TensorMap map = {};
  map.base = const_cast<unsigned char*>(static_cast<const unsigned char*>(base));
  map.rank = int(extent.size());
  map.element = element;
  map.swizzled = swizzled;
  auto require = [](bool valid, const char* what) {
    if (!valid) throw Error(std::string("make_tensor_map: ") + what);
  };
  require(map.rank >= 2 && map.rank <= 4 && stride.size() + 1 == extent.size() && box.size() == extent.size(),
          "rank is 2 to 4, and one stride less");
  require(uintptr_t(base) % 16 == 0, "base is a multiple of 16 bytes");
  for (int i = 0; i < 4; i++) {
    map.extent[i] = i < map.rank ? extent.begin()[i] : 1;
    map.box[i] = i < map.rank ? box.begin()[i] : 1;
    map.stride[i] = i == 0 ? element : i < map.rank ? stride.begin()[i - 1] * element : 0;
    require(map.extent[i] >= 1 && map.extent[i] <= int64_t(1) << 32, "an extent is 1 to 2^32");
    require(map.box[i] >= 1 && map.box[i] <= 256, "a box is 1 to 256");
    require(i == 0 || map.stride[i] % 16 == 0, "a stride is a multiple of 16 bytes");
    require(map.stride[i] >= 0 && map.stride[i] < int64_t(1) << 40, "a stride is less than 2^40 bytes");
  }
  require(map.box[0] * element % 16 == 0, "a row of the box is a multiple of 16 bytes");
  require(!swizzled || map.box[0] * element <= 128, "a row of a swizzled box is at most 128 bytes");
  return map;
}

using Coordinates = std::array<int, 4>;

struct Store {
  TensorMap map;  ///< of a box; map.base is nullptr for a plain copy
  Coordinates at;
  unsigned char* dst;
  const unsigned char* src;
  size_t bytes;
  std::vector<uint64_t> read;  ///< what was in shared memory, once it has been read
};

/// Bytes on their way to dst, counted by bar.
struct Message {
  Mbar* bar;
  unsigned char* dst;
  const unsigned char* src;  ///< of a plain copy, read on landing; nullptr: a box, or the values
  size_t bytes;
  TensorMap map;  ///< of a box; a copy, since the thread that named it may be gone
  Coordinates at;
  alignas(16) unsigned char values[16];
};

}  // namespace simt
