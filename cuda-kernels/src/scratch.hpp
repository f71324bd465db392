// Device memory for intermediate results of one operation, kept between operations of a stream.
#pragma once

#include <cstdint>
#include <vector>

#include "common/cuda.hpp"

namespace topv::cuda {

/// Grows, never shrinks: a block that was outgrown is kept, because work that is queued (or captured in a graph) may
/// still name it. take() gives pieces until the next reset(); contents are undefined.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    for (void* block : blocks_) cudaFree(block);
  }

  /// count elements of T, 256-byte aligned.
  template <typename T>
  T* take(int64_t count) {
    const int64_t bytes = (count * static_cast<int64_t>(sizeof(T)) + 255) / 256 * 256;
    if (used_ + bytes > capacity_) grow(bytes);
    T* piece = reinterpret_cast<T*>(static_cast<unsigned char*>(blocks_.back()) + used_);
    used_ += bytes;
    return piece;
  }

  /// Called before each operation: operations of a stream follow each other.
  void reset() { used_ = 0; }

 private:
  void grow(int64_t bytes) {
    const int64_t capacity = 2 * capacity_ > bytes ? 2 * capacity_ : bytes;
    void* block = nullptr;
    check(cudaMalloc(&block, static_cast<size_t>(capacity)), "scratch");
    blocks_.push_back(block);
    capacity_ = capacity;
    used_ = 0;
  }

  std::vector<void*> blocks_;
  int64_t capacity_ = 0, used_ = 0;
};

}  // namespace topv::cuda
