// The copy engine. Loads are mail: their bytes land when somebody waits for the mbarrier that counts them. Stores read
// shared memory at the wait for reading, and write global memory at the wait for all, or when the thread ends.
#pragma once

#include <deque>
#include <vector>

#include "simt/tensor_map.hpp"

namespace simt {

/// A copy of one thread from shared to global memory.
struct Store {
  TensorMap map;  ///< of a box; map.base is nullptr for a plain copy
  Coordinates at;
  unsigned char* dst;
  unsigned char* src;
  size_t bytes;
  std::vector<uint64_t> read;  ///< what was in shared memory, once it has been read
};

class StoreGroups {
 public:
  void add_bytes(void* dst, const void* src, size_t bytes, const char* file, int line);
  void add_box(const TensorMap& map, int rank, const Coordinates& at, const void* src, const char* file,
               int line);
  void commit();
  void wait_read(size_t left);
  void wait(size_t left);
  /// Whether one still has to read shared memory.
  bool reads() const;
  void clear();

 private:
  std::vector<Store> open_;
  std::deque<std::vector<Store>> groups_;
};

void check_bulk(const void* dst, const void* src, size_t bytes, const char* file, int line);
void check_box(const TensorMap& map, int rank, const void* shared, const char* file, int line);
/// A box from global to shared memory, zeros where it is outside the tensor.
void load_box(const TensorMap& map, const Coordinates& at, unsigned char* shared);

}  // namespace simt
