#include "simt/tensor_map.hpp"

namespace simt {

TensorMap make_tensor_map(const void* base, int element, std::initializer_list<int64_t> extent,
                          std::initializer_list<int64_t> stride, std::initializer_list<int> box,
                          bool swizzled) {
  auto require = [](bool valid, const char* what) {
    if (!valid) throw Error(std::string("make_tensor_map: ") + what);
  };
  TensorMap map = {};
  map.base = const_cast<unsigned char*>(static_cast<const unsigned char*>(base));
  map.rank = int(extent.size());
  map.element = element;
  map.swizzled = swizzled;
  require(map.rank >= 2 && map.rank <= 4 && stride.size() + 1 == extent.size() && box.size() == extent.size(),
          "2 to 4 dimensions, and one stride less");
  require(base != nullptr && uintptr_t(base) % 16 == 0, "base is a multiple of 16 bytes");
  for (int i = 0; i < 4; i++) {
    map.extent[i] = i < map.rank ? extent.begin()[i] : 1;
    map.box[i] = i < map.rank ? box.begin()[i] : 1;
    map.stride[i] = i == 0 ? element : i < map.rank ? stride.begin()[i - 1] * element : 0;
    require(map.extent[i] >= 1 && map.extent[i] <= int64_t{1} << 32, "an extent is 1 to 2^32");
    require(map.box[i] >= 1 && map.box[i] <= 256, "a box is 1 to 256");
    require(i == 0 || (map.stride[i] % 16 == 0 && map.stride[i] >= 0 && map.stride[i] < int64_t{1} << 40),
            "a stride is a multiple of 16 bytes, less than 2^40");
  }
  require(map.box[0] * element % 16 == 0, "a row of the box is a multiple of 16 bytes");
  require(!swizzled || map.box[0] * element == 128, "a row of a swizzled box is 128 bytes");
  return map;
}

}  // namespace simt
