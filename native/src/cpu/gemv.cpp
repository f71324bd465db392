// c [m, n] = a [m, k] W [n, k]^T for few rows of a: the time is that of reading W once. So W is read in
// place, row after row and never twice, each thread over a range of rows, with prefetches some way ahead; the
// sums of up to kRows rows of a share one pass.
#include <algorithm>

#include "cpu/epilogue.hpp"
#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

constexpr int kUnroll = 4;
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

/// sums[i] = a[i, :] . w for kRows rows of a.
template <int kRows, typename T>
void dot_row(const T* w, const T* a, int64_t lda, int64_t k, float* const* sums) {
  constexpr int kBlock = kUnroll * kStep<T>;
  F acc[kRows][kUnroll];
  for (int i = 0; i < kRows; ++i) {
    for (int u = 0; u < kUnroll; ++u) acc[i][u] = zero();
  }
  int64_t x = 0;
  for (; x + kBlock <= k; x += kBlock) {
    const char* ahead = reinterpret_cast<const char*>(w + x) + kPrefetchBytes;
    for (int line = 0; line < kBlock * static_cast<int>(sizeof(T)); line += 64)
      _mm_prefetch(ahead + line, _MM_HINT_T0);
    for (int u = 0; u < kUnroll; ++u) {
      for (int i = 0; i < kRows; ++i) {
        const int64_t at = x + u * kStep<T>;
        acc[i][u] = step(w + at, a + i * lda + at, acc[i][u]);
      }
    }
  }
  for (; x + kStep<T> <= k; x += kStep<T>) {
    for (int i = 0; i < kRows; ++i) acc[i][0] = step(w + x, a + i * lda + x, acc[i][0]);
  }
  if (x < k) {
    for (int i = 0; i < kRows; ++i)
      acc[i][1] = step_n(w + x, a + i * lda + x, static_cast<int>(k - x), acc[i][1]);
  }
  for (int i = 0; i < kRows; ++i) *sums[i] = reduce_add((acc[i][0] + acc[i][1]) + (acc[i][2] + acc[i][3]));
}

template <int kRows, typename T, typename C>
void gemv_rows(const GemvParams& p, int64_t row, int64_t begin, int64_t end) {
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
      for (int64_t x = 0; x < count; ++x) {
        float* out[kRows];
        for (int i = 0; i < kRows; ++i) out[i] = &sums[i][x];
        dot_row<kRows>(block + (j - first + x) * p.k, a, g.lda, p.k, out);
      }
      for (int i = 0; i < kRows; ++i) finish(epilogue, sums[i], j, c + i * g.ldc + j, count);
    }
  }
}

template <typename T, typename C>
void gemv_as(Team& team, const GemvParams& p) {
  parallel_for(team, p.n, 1 + 32768 / p.k, [&](int64_t begin, int64_t end, int) {
    int64_t row = 0;
    for (; row + 4 <= p.gemm->m; row += 4) gemv_rows<4, T, C>(p, row, begin, end);
    for (; row + 2 <= p.gemm->m; row += 2) gemv_rows<2, T, C>(p, row, begin, end);
    if (row < p.gemm->m) gemv_rows<1, T, C>(p, row, begin, end);
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
