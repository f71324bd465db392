// The threads and scratch memory of a context, and a loop over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace topv::cpu {

/// A fixed number of OpenMP threads (the same team that oneDNN uses) and memory that outlives the call.
class Team {
 public:
  explicit Team(int threads) : threads_(threads) {}
  ~Team() { std::free(memory_); }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return threads_; }

  /// count elements, 64-byte aligned, contents undefined, valid until the next call of scratch().
  template <typename T>
  T* scratch(int64_t count) {
    return static_cast<T*>(bytes(static_cast<size_t>(count) * sizeof(T)));
  }

 private:
  void* bytes(size_t wanted) {
    if (wanted > size_) {
      std::free(memory_);
      size_ = 0;
      const size_t rounded = (wanted + 4095) / 4096 * 4096;
      memory_ = std::aligned_alloc(4096, rounded);
      if (memory_ == nullptr) throw std::bad_alloc();
      size_ = rounded;
    }
    return memory_;
  }

  int threads_;
  void* memory_ = nullptr;
  size_t size_ = 0;
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
