#include "simt/shared.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "simt/grid.hpp"

namespace simt {
namespace {

constexpr size_t kGuard = SIMT_ASAN ? 0 : 64;  ///< bytes after a piece, watched where ASan does not
constexpr bool kFresh =
    SIMT_ASAN || SIMT_TSAN;  ///< new memory for each block: the sanitizers then know nothing of the old

}  // namespace

unsigned char* SharedMemory::piece(const void* key, size_t offset, size_t bytes, size_t alignment) {
  alignas(1024) static unsigned char nothing[1];
  if (bytes == 0) return nothing;
  for (Piece& piece : pieces_) {
    if (piece.key != key || piece.offset != offset) continue;
    if (piece.bytes != bytes) {
      if (piece.used) fail("shared memory", 0, "threads of a block disagree on the size of an array");
      continue;
    }
    if (!piece.used) used_ += (bytes + 15) / 16 * 16;
    piece.used = true;
    return piece.memory;
  }
  used_ += (bytes + 15) / 16 * 16;
  if (used_ > kMost) fail("shared memory", 0, "more than %zu bytes in use", kMost);
  Quiet quiet;
  alignment = std::max(alignment, size_t{16});
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes + kGuard) != 0) fail("shared memory", 0, "no memory");
  std::memset(memory, 0xff, bytes + kGuard);
  pieces_.push_back({key, offset, bytes, alignment, static_cast<unsigned char*>(memory), true});
  return static_cast<unsigned char*>(memory);
}

unsigned char* SharedMemory::same_place(const SharedMemory& other, const void* p) {
  const auto* address = static_cast<const unsigned char*>(p);
  for (const Piece& piece : other.pieces_)
    if (piece.used && address >= piece.memory && address < piece.memory + piece.bytes)
      return this->piece(piece.key, piece.offset, piece.bytes, piece.alignment) + (address - piece.memory);
  return nullptr;
}

bool SharedMemory::holds(const void* p) const {
  const auto* address = static_cast<const unsigned char*>(p);
  return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
    return piece.used && address >= piece.memory && address < piece.memory + piece.bytes;
  });
}

bool SharedMemory::close() {
  bool intact = true;
  for (Piece& piece : pieces_) {
    if (!piece.used) continue;
    for (size_t i = 0; i < kGuard; i++) intact = intact && piece.memory[piece.bytes + i] == 0xff;
    if (kFresh)
      forbid(piece.memory, piece.bytes);
    else
      std::memset(piece.memory, 0xff, piece.bytes + kGuard);
  }
  return intact;
}

void SharedMemory::open(bool same_kernel) {
  if (kFresh || !same_kernel) forget();
  for (Piece& piece : pieces_) piece.used = false;
  used_ = 0;
  unfenced_.clear();
}

void SharedMemory::forget() {
  for (Piece& piece : pieces_) {
    allow(piece.memory, piece.bytes);
    std::free(piece.memory);
  }
  pieces_.clear();
}

unsigned char* declared_array(const void* key, size_t bytes, size_t alignment) {
  Quiet quiet;
  return self().block->shared.piece(key, 0, bytes, alignment);
}

unsigned char* Arena::piece(size_t bytes, size_t alignment) {
  Quiet quiet;
  static const char key = 0;
  const size_t offset = (used_ + alignment - 1) / alignment * alignment;
  used_ = offset + bytes;
  if (used_ > grid.config.shared)
    fail("shared memory", 0, "the kernel takes %zu dynamic bytes, the launch gave %zu", used_,
         grid.config.shared);
  return self().block->shared.piece(&key, offset, bytes, alignment);
}

}  // namespace simt
