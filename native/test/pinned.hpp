// Memory of the tests that a GPU reads and writes: where the backend under test is "cuda", new and the stack of the
// tests are pieces of one block of topv_host_alloc. So arrays, vectors and locals of a test may be named in params.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>

#include "device.hpp"

namespace test {

/// Pieces of powers of two, with lists of those that were given back.
class Arena {
 public:
  void open(void* memory, size_t bytes) {
    begin_ = next_ = static_cast<unsigned char*>(memory);
    end_ = begin_ + bytes;
  }
  bool is_open() const { return begin_ != nullptr; }
  bool holds(const void* piece) const { return piece >= begin_ && piece < end_; }

  void* take(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    int order = 6;
    while ((size_t{1} << order) < bytes + kHeader) ++order;
    unsigned char* piece = free_[order];
    if (piece != nullptr) {
      free_[order] = *reinterpret_cast<unsigned char**>(piece + kHeader);
    } else {
      piece = next_;
      if (static_cast<size_t>(end_ - next_) < size_t{1} << order) {
        std::puts("the pinned memory of the tests is used up: make it larger (pinned.hpp)");
        std::abort();
      }
      next_ += size_t{1} << order;
    }
    *reinterpret_cast<int*>(piece) = order;
    return piece + kHeader;
  }
  void give(void* memory) {
    const std::lock_guard<std::mutex> lock(mutex_);
    unsigned char* const piece = static_cast<unsigned char*>(memory) - kHeader;
    unsigned char*& list = free_[*reinterpret_cast<int*>(piece)];
    *static_cast<unsigned char**>(memory) = list;
    list = piece;
  }

 private:
  static constexpr size_t kHeader = 64;  ///< holds the order; keeps pieces on cache lines
  std::mutex mutex_;
  unsigned char *begin_ = nullptr, *end_ = nullptr, *next_ = nullptr;
  unsigned char* free_[48] = {};
};
inline Arena arena;

/// Runs body, in pinned memory where the backend under test is "cuda". 77 where there is no GPU: skipped.
inline int run_pinned(int (*body)()) {
  if (device_backend() == nullptr || emulated()) return body();
  constexpr int64_t kStack = int64_t{8} << 20, kHeap = int64_t{2} << 30;
  std::unique_ptr<topv::Context> context;
  try {
    context = std::make_unique<topv::Context>("cuda");
  } catch (const topv::Exception& error) {
    std::printf("%s\n", error.what());
    return error.status() == TOPV_UNSUPPORTED ? 77 : 1;
  }
  void* memory = nullptr;
  context->check(topv_host_alloc(context->get(), kStack + kHeap, &memory));
  arena.open(static_cast<unsigned char*>(memory) + kStack, kHeap);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, memory, kStack);
  pthread_t thread;
  const auto entry = [](void* function) -> void* {
    return reinterpret_cast<void*>(static_cast<intptr_t>((*reinterpret_cast<int (**)()>(function))()));
  };
  if (pthread_create(&thread, &attributes, entry, &body) != 0) throw std::runtime_error("pthread_create");
  void* result = nullptr;
  pthread_join(thread, &result);
  // Not by way of the destructors of statics: what they free may lie in memory that the driver has taken back.
  std::fflush(nullptr);
  std::_Exit(static_cast<int>(reinterpret_cast<intptr_t>(result)));
}

}  // namespace test

// Not inlined: the compiler would take free() for a mistake there.
__attribute__((noinline)) void* operator new(size_t bytes) {
  void* const memory = test::arena.is_open() ? test::arena.take(bytes) : std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return operator new(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
__attribute__((noinline)) void operator delete(void* memory) noexcept {
  if (test::arena.holds(memory)) {
    test::arena.give(memory);
  } else {
    std::free(memory);
  }
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }
