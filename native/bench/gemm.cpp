// Times gemm against the memory's read bandwidth: bench_gemm [threads] [isa]. Weights rotate through 1 GiB, so that they
// come from memory as in decode. Results are compared with plain loops before anything is timed.
#include <immintrin.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "topv/topv.hpp"

namespace {

/// Wall time; with one thread the process's own time, which other load on the machine disturbs less.
struct Clock {
  static inline bool own_time = false;
  static double now() {
    timespec time;
    clock_gettime(own_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
};

double seconds_since(double start) { return Clock::now() - start; }

/// Bytes per second of threads that only read; best of three.
double read_roof(const std::vector<char>& memory, int threads) {
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    std::vector<std::thread> readers;
    for (int t = 0; t < threads; ++t) {
      readers.emplace_back([&, t] {
        const size_t begin = memory.size() / threads * t, end = memory.size() / threads * (t + 1);
        __m128i sum[4] = {};
        for (size_t i = begin; i + 64 <= end; i += 64) {
          for (int x = 0; x < 4; ++x) {
            sum[x] =
                _mm_xor_si128(sum[x], _mm_loadu_si128(reinterpret_cast<const __m128i*>(&memory[i + 16 * x])));
          }
        }
        volatile int keep =
            _mm_cvtsi128_si32(_mm_xor_si128(_mm_xor_si128(sum[0], sum[1]), _mm_xor_si128(sum[2], sum[3])));
        (void)keep;
      });
    }
    for (std::thread& reader : readers) reader.join();
    best = std::max(best, static_cast<double>(memory.size()) / seconds_since(start));
  }
  return best;
}

void check_result(const std::vector<float>& a, const std::vector<float>& w, const std::vector<float>& c,
                  int64_t m, int64_t n, int64_t k) {
  for (int64_t x = 0; x < 50; ++x) {
    const int64_t i = x * 7919 % m, j = x * 104729 % n;
    double sum = 0;
    for (int64_t y = 0; y < k; ++y) sum += static_cast<double>(a[i * k + y]) * w[j * k + y];
    if (!(std::fabs(sum - c[i * n + j]) <= 1e-3)) {
      std::printf("wrong: c[%lld, %lld] = %g, expected %g\n", static_cast<long long>(i),
                  static_cast<long long>(j), c[i * n + j], sum);
      std::exit(1);
    }
  }
}

void bench(const topv::Context& ctx, std::vector<char>& memory, int32_t dtype, int64_t n, int64_t k,
           double roof) {
  const size_t element = dtype == TOPV_F32 ? 4 : 2, bytes = static_cast<size_t>(n * k) * element;
  const size_t count = memory.size() / bytes;
  std::vector<topv::Weight> weights;
  for (size_t i = 0; i < count; ++i) {
    weights.push_back(
        ctx.weight(&memory[i * bytes], n, k, static_cast<topv_dtype>(dtype), static_cast<topv_dtype>(dtype)));
  }
  std::vector<float> w(static_cast<size_t>(n * k));
  for (size_t i = 0; i < w.size(); ++i) {
    // Small whole multiples of 1/64: exact in both types.
    w[i] = static_cast<float>(static_cast<int>(i * 2654435761u >> 20 & 31) - 16) / 64;
    uint32_t bits;
    std::memcpy(&bits, &w[i], 4);
    if (dtype == TOPV_F32) {
      std::memcpy(&memory[i * 4], &bits, 4);
    } else {
      const uint16_t high = static_cast<uint16_t>(bits >> 16);
      std::memcpy(&memory[i * 2], &high, 2);
    }
  }
  for (size_t i = 1; i < count; ++i) std::memcpy(&memory[i * bytes], memory.data(), bytes);
  for (const int64_t m : {1, 2, 3, 4, 5, 8, 16, 64, 576}) {
    std::vector<float> a(static_cast<size_t>(m * k)), c(static_cast<size_t>(m * n));
    std::vector<uint16_t> narrow(a.size());
    for (size_t i = 0; i < a.size(); ++i) {
      a[i] = static_cast<float>(static_cast<int>(i * 40503u >> 4 & 7) - 4) / 8;
      uint32_t bits;
      std::memcpy(&bits, &a[i], 4);
      narrow[i] = static_cast<uint16_t>(bits >> 16);
    }
    topv_gemm_params p = {};
    p.a = dtype == TOPV_F32 ? static_cast<const void*>(a.data()) : narrow.data();
    p.c = c.data();
    p.m = m;
    p.lda = k;
    p.ldc = n;
    p.c_dtype = TOPV_F32;
    const auto first = Clock::now();
    for (size_t i = 0; i < count && i < 12; ++i) {
      p.w = weights[i].get();
      ctx.gemm(p);
    }
    const double warm = seconds_since(first);
    check_result(a, w, c, m, n, k);
    double best = std::numeric_limits<double>::infinity();
    const size_t used = std::min<size_t>(count, 12);
    for (int round = 0; round < 5; ++round) {
      const auto start = Clock::now();
      for (size_t i = 0; i < used; ++i) {
        p.w = weights[i].get();
        ctx.gemm(p);
      }
      best = std::min(best, seconds_since(start) / static_cast<double>(used));
    }
    const double rate = static_cast<double>(bytes) / best;
    std::printf(
        "%s n %5lld k %5lld m %4lld: %8.1f us  %7.1f GFLOP/s  %5.1f GB/s of weights = %3.0f %% of the roof "
        "(first round %.0f us)\n",
        dtype == TOPV_F32 ? "f32 " : "bf16", static_cast<long long>(n), static_cast<long long>(k),
        static_cast<long long>(m), best * 1e6, 2e-9 * static_cast<double>(m * n * k) / best, rate * 1e-9,
        100 * rate / roof, warm / static_cast<double>(used) * 1e6);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int count, char** arguments) try {
  const int threads = count > 1 ? std::atoi(arguments[1]) : 2;
  const topv::Context ctx("cpu", threads, count > 2 ? arguments[2] : nullptr);
  Clock::own_time = threads == 1;
  std::vector<char> memory(size_t{1} << 30, 1);
  const double roof = read_roof(memory, threads);
  std::printf("read roof %.1f GB/s, %d threads\n", roof * 1e-9, threads);
  bench(ctx, memory, TOPV_BF16, 4096, 4096, roof);
  bench(ctx, memory, TOPV_BF16, 5632, 2048, roof);
  bench(ctx, memory, TOPV_F32, 4096, 4096, roof);
  std::printf("read roof afterwards %.1f GB/s\n", read_roof(memory, threads) * 1e-9);
  return 0;
} catch (const topv::Exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
