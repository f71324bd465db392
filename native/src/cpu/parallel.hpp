// The threads and scratch memory of a context, and a loop over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace topv::cpu {

/// Memory that outlives a call, so that operations do not allocate.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() { std::free(memory_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// bytes, 64-byte aligned, contents undefined, valid until the next call.
  void* get(size_t bytes) {
    if (bytes > size_) {
      std::free(memory_);
      memory_ = nullptr;
      size_ = 0;
      const size_t rounded = (bytes + 4095) / 4096 * 4096;
      memory_ = std::aligned_alloc(4096, rounded);
      if (memory_ == nullptr) throw std::bad_alloc();
      size_ = rounded;
    }
    return memory_;
  }

 private:
  void* memory_ = nullptr;
  size_t size_ = 0;
};

/// A fixed number of OpenMP threads (the same team that oneDNN uses) and their scratch memory.
class Team {
 public:
  explicit Team(int threads) : threads_(threads) {}

  int threads() const { return threads_; }

  /// count elements, 64-byte aligned, contents undefined, valid until the next call of scratch().
  template <typename T>
  T* scratch(int64_t count) {
    return static_cast<T*>(scratch_.get(static_cast<size_t>(count) * sizeof(T)));
  }

 private:
  int threads_;
  Scratch scratch_;
};

/// Splits [0, n) into one even range per thread, of at least grain items, and runs body(begin, end, thread)
/// on each. Runs on the calling thread alone where that leaves fewer than two ranges. body must not throw.
template <typename Body>
void parallel_for(const Team& team, int64_t n, int64_t grain, const Body& body) {
  if (n <= 0) return;
  const int64_t most = n / (grain > 0 ? grain : 1);
  const int64_t parts = most < team.threads() ? most : team.threads();
  if (parts < 2) {
    body(int64_t{0}, n, 0);
    return;
  }
  // Always the whole team: libgomp ends and restarts threads when the size of a team changes.
#pragma omp parallel for schedule(static, 1) num_threads(team.threads())
  for (int part = 0; part < static_cast<int>(parts); ++part) {
    body(n * part / parts, n * (part + 1) / parts, part);
  }
}

}  // namespace topv::cpu
