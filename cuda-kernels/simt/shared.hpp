// Shared memory of a block: each array a piece of its own with forbidden bytes after it, all bits set (NaN, -1) at birth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "simt/error.hpp"

namespace simt {

class SharedMemory {
 public:
  static constexpr size_t kMost = 227 * 1024;

  SharedMemory() = default;
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { forget(); }

  /// The piece of this key (an array's declaration, or the arena) and offset; made where it is asked for first.
  unsigned char* piece(const void* key, size_t offset, size_t bytes, size_t alignment);
  /// Where p of `other` (the memory of a block of the same kernel) would be here; nullptr: p is not in it.
  unsigned char* same_place(const SharedMemory& other, const void* p);
  bool holds(const void* p) const;

  // Pieces of 16 bytes that cp.async brought, until the thread that asked for them makes them visible to the async proxy.
  void landed(const void* p) { unfenced_.insert(uintptr_t(p) / 16); }
  void fenced(const void* p) { unfenced_.erase(uintptr_t(p) / 16); }
  bool any_unfenced() const { return !unfenced_.empty(); }
  bool unfenced(const void* p) const { return unfenced_.count(uintptr_t(p) / 16) != 0; }

  /// The block has ended: nobody may touch its memory from now on. False: there was a write past the end of a piece.
  bool close();
  /// A new block begins; where it is one of the same launch, the memory is kept.
  void open(bool same_kernel);

 private:
  struct Piece {
    const void* key;
    size_t offset, bytes, alignment;
    unsigned char* memory;
    bool used;
  };
  void forget();
  std::vector<Piece> pieces_;
  size_t used_ = 0;
  std::unordered_set<uintptr_t> unfenced_;
};

/// TOPV_SHARED: an array that the running block declares.
unsigned char* declared_array(const void* key, size_t bytes, size_t alignment);

template <typename A>
A& shared_array(const void* key) {
  return *reinterpret_cast<A*>(declared_array(key, sizeof(A), alignof(A) < 16 ? 16 : alignof(A)));
}

/// TOPV_ARENA: splits the dynamic shared memory of the launch, each piece on its own.
class Arena {
 public:
  template <typename T>
  T* take(size_t count, size_t alignment = 16) {
    return reinterpret_cast<T*>(piece(count * sizeof(T), alignment));
  }

 private:
  unsigned char* piece(size_t bytes, size_t alignment);
  size_t used_ = 0;
};

}  // namespace simt
