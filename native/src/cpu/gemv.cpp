// c [m, n] = a [m, k] W [n, k]^T for few rows of a: the time is that of reading W once. So W is read in
// place, row after row and never twice, each thread over a range of rows, with prefetches some way ahead; the
// sums of up to kRows rows of a share one pass.
#include <algorithm>

#include "cpu/epilogue.hpp"
#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

constexpr int kChunk = 64;  // sums that wait for the epilogue
constexpr int kPrefetchBytes = 2048;

// How many elements one step of a dot product takes, and the step.
template <typename T>
constexpr int kStep = kLanes;
template <>
constexpr int kStep<bf16> = 2 * kLanes;

F step(const float* w, const float* a, F acc) { return fma(load(w), load(a), acc); }
F step(const bf16* w, const bf16* a, F acc) { return dot(load_pairs(w), load_pairs(a), acc); }
F step_n(const float* w, const float* a, int n, F acc) { return fma(load_n(w, n), load_n(a, n), acc); }
F step_n(const bf16* w, const bf16* a, int n, F acc) {
  return dot(load_pairs_n(w, n), load_pairs_n(a, n), acc);
}

/// sums[i][j] = a[i, :] . w[j, :] for kRows rows of a and kWide rows of W.
template <int kRows, int kWide, typename T>
void dot_rows(const T* w, const T* a, int64_t lda, int64_t k, float (*sums)[kChunk]) {
  // Enough sums at once to hide the latency of a multiply-add, few enough for the registers.
  // It does not depend on kWide, so that the order of a sum does not depend on where a thread's range begins.
  constexpr int kUnroll = kRows > 1 ? 2 : 4;
  constexpr int kBlock = kUnroll * kStep<T>;
  F acc[kRows][kWide][kUnroll];
  for (auto& row : acc) {
    for (auto& sum : row) std::fill_n(sum, kUnroll, zero());
  }
  int64_t x = 0;
  for (; x + kBlock <= k; x += kBlock) {
    for (int j = 0; j < kWide; ++j) {
      const char* ahead = reinterpret_cast<const char*>(w + j * k + x) + kPrefetchBytes;
      for (int line = 0; line < kBlock * static_cast<int>(sizeof(T)); line += 64) {
        _mm_prefetch(ahead + line, _MM_HINT_T0);
      }
    }
    for (int u = 0; u < kUnroll; ++u) {
      const int64_t at = x + u * kStep<T>;
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < kWide; ++j) acc[i][j][u] = step(w + j * k + at, a + i * lda + at, acc[i][j][u]);
      }
    }
  }
  for (; x < k; x += kStep<T>) {
    const int n = static_cast<int>(std::min<int64_t>(kStep<T>, k - x));
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kWide; ++j) acc[i][j][0] = step_n(w + j * k + x, a + i * lda + x, n, acc[i][j][0]);
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kWide; ++j) {
      F sum = acc[i][j][0];
      for (int u = 1; u < kUnroll; ++u) sum += acc[i][j][u];
      sums[i][j] = reduce_add(sum);
    }
  }
}

/// Rows [begin, end) of W with kRows rows of a from row on.
template <int kRows, typename T, typename C>
void gemv_rows(const GemvParams& p, int64_t row, int64_t begin, int64_t end) {
  // One row of W at a time streams best; with more rows of a, two share the loads of a.
  constexpr int kWide = kRows > 1 ? 2 : 1;
  const topv_gemm_params& g = *p.gemm;
  const T* a = static_cast<const T*>(g.a) + row * g.lda;
  C* c = static_cast<C*>(g.c) + row * g.ldc;
  const Epilogue epilogue = {g.bias, g.activation, g.accumulate};
  int64_t first = 0;  // row of W where the block begins
  for (int b = 0; b < p.block_count; first += p.blocks[b++].rows) {
    const T* block = static_cast<const T*>(p.blocks[b].data);
    const int64_t block_end = std::min(end, first + p.blocks[b].rows);
    for (int64_t j = std::max(begin, first); j < block_end; j += kChunk) {
      alignas(64) float sums[kRows][kChunk];
      const int64_t count = std::min<int64_t>(kChunk, block_end - j);
      const T* w = block + (j - first) * p.k;
      int64_t x = 0;
      for (; x + kWide <= count; x += kWide) {
        dot_rows<kRows, kWide>(w + x * p.k, a, g.lda, p.k, reinterpret_cast<float(*)[kChunk]>(&sums[0][x]));
      }
      for (; x < count; ++x) {
        dot_rows<kRows, 1>(w + x * p.k, a, g.lda, p.k, reinterpret_cast<float(*)[kChunk]>(&sums[0][x]));
      }
      for (int i = 0; i < kRows; ++i) finish(epilogue, sums[i], j, c + i * g.ldc + j, count);
    }
  }
}

template <typename T, typename C>
void gemv_as(Team& team, const GemvParams& p) {
  parallel_for(team, p.n, 1 + 65536 / p.k, [&](int64_t begin, int64_t end, int) {
    int64_t row = 0;
    for (; row + 4 <= p.gemm->m; row += 4) gemv_rows<4, T, C>(p, row, begin, end);
    switch (p.gemm->m - row) {
      case 1:
        return gemv_rows<1, T, C>(p, row, begin, end);
      case 2:
        return gemv_rows<2, T, C>(p, row, begin, end);
      case 3:
        return gemv_rows<3, T, C>(p, row, begin, end);
    }
  });
}

}  // namespace

void gemv(Team& team, const GemvParams& p) {
  if (p.dtype == TOPV_F32) {
    gemv_as<float, float>(team, p);
  } else if (p.gemm->c_dtype == TOPV_F32) {
    gemv_as<bf16, float>(team, p);
  } else {
    gemv_as<bf16, bf16>(team, p);
  }
}

}  // namespace topv::cpu::TOPV_ISA
