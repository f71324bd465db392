// Reads memory as fast as this machine does: read_bandwidth THREADS prints {"small_pages": GB/s, "small_pages_median": GB/s,
// "huge_pages": GB/s, "huge_pages_median": GB/s}: the best and the median of 7 passes over 1 GiB.
#include <omp.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int64_t kBytes = int64_t{1} << 30;
typedef uint64_t Vector __attribute__((vector_size(64)));

constexpr int kPasses = 7;

/// Rates of the passes, ascending.
std::array<double, kPasses> rates(int advice) {
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  madvise(memory, kBytes, advice);
  std::memset(memory, 1, kBytes);
  const auto* vectors = static_cast<const Vector*>(memory);
  constexpr int64_t kCount = kBytes / sizeof(Vector), kUnroll = 8;
  std::array<double, kPasses> rate;
  uint64_t total = 0;
  for (double& one : rate) {
    const auto start = std::chrono::steady_clock::now();
#pragma omp parallel reduction(+ : total)
    {
      const int64_t part = kCount / omp_get_num_threads() / kUnroll * kUnroll;
      const Vector* at = vectors + part * omp_get_thread_num();
      Vector sums[kUnroll] = {};
      for (int64_t i = 0; i < part; i += kUnroll) {
        for (int64_t u = 0; u < kUnroll; ++u) {
          __builtin_prefetch(at + i + u + 32);
          sums[u] += at[i + u];
        }
      }
      for (const Vector& sum : sums) total += sum[0] + sum[7];
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    one = kBytes / took.count() * 1e-9;
  }
  if (total == 0) std::abort();  // keeps the reads
  munmap(memory, kBytes);
  std::sort(rate.begin(), rate.end());
  return rate;
}

}  // namespace

int main(int count, char** arguments) {
  omp_set_num_threads(count > 1 ? std::atoi(arguments[1]) : 1);
  const auto small = rates(MADV_NOHUGEPAGE), huge = rates(MADV_HUGEPAGE);
  std::printf(
      "{\"small_pages\": %.2f, \"small_pages_median\": %.2f, \"huge_pages\": %.2f, \"huge_pages_median\": "
      "%.2f}\n",
      small.back(), small[kPasses / 2], huge.back(), huge[kPasses / 2]);
}
