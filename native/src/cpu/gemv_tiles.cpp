// c [m, n] = epilogue(a [m, k] W [n, k]^T) in bfloat16 for few rows of a, with W as gemm_tiles has it: a line of a tile holds
// one pair of k of 16 columns, so the sums of columns lie in lanes and each line is read once, in the order of memory.
// Bound: reading W. Tiles lie in huge pages, which read faster than a mapped file's small ones.
#include <algorithm>

#include "cpu/epilogue.hpp"
#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {

#if defined(__AMX_BF16__)

namespace {

constexpr int kSide = 32;  // columns of a panel, and k of a step
constexpr int64_t kStepSize = kSide * kSide;
constexpr int kPairs = kSide / 2;
constexpr int kMostRows = 4;
constexpr int64_t kAhead = kStepSize;  // elements, a step: farther was slower

/// sums[i][0 .. 32) = a[i, :] . the panel's columns
template <int kRows>
void panel_sums(const bf16* w, const bf16* a, int64_t lda, int64_t k, const bf16 (*tail)[kSide],
                float (*sums)[kSide]) {
  constexpr int kUnroll = kRows > 1 ? 1 : 4;  // sums at once: they hide the latency of a product
  F acc[kRows][2][kUnroll];
  for (auto& row : acc) {
    for (auto& half : row) std::fill_n(half, kUnroll, zero());
  }
  const int64_t whole = k / kSide;
  for (int64_t s = 0; s < (k + kSide - 1) / kSide; ++s, w += kStepSize) {
    const bf16* x[kRows];
    for (int i = 0; i < kRows; ++i) x[i] = s < whole ? a + i * lda + s * kSide : tail[i];
#pragma GCC unroll 16
    for (int p = 0; p < kPairs; ++p) {
      for (int h = 0; h < 2; ++h) {
        const bf16* line = w + (h * kPairs + p) * kSide;
        _mm_prefetch(reinterpret_cast<const char*>(line + kAhead), _MM_HINT_T0);
        const Pairs columns = load_pairs(line);
        for (int i = 0; i < kRows; ++i) {
          F& sum = acc[i][h][p % kUnroll];
          sum = dot(columns, broadcast_pair(x[i] + 2 * p), sum);
        }
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int h = 0; h < 2; ++h) {
      F sum = acc[i][h][0];
      for (int u = 1; u < kUnroll; ++u) sum += acc[i][h][u];
      store(sums[i] + h * kLanes, sum);
    }
  }
}

template <int kRows, typename C>
void run(Team& team, const GemmTilesParams& p) {
  const topv_gemm_params& g = *p.gemm;
  const auto* a = static_cast<const bf16*>(g.a);
  const int64_t panels = (p.n + kSide - 1) / kSide, panel_size = (p.k + kSide - 1) / kSide * kStepSize;
  bf16 tail[kRows][kSide] = {};  // what is left of a after whole steps, then zeros
  const int64_t rest = p.k % kSide;
  for (int i = 0; i < kRows; ++i) std::copy_n(a + i * g.lda + p.k - rest, rest, tail[i]);
  const Epilogue epilogue = {g.bias, g.activation, g.accumulate};
  parallel_for(team, panels, 1 + 32768 / panel_size, [&](int64_t begin, int64_t end, int) {
    for (int64_t j = begin; j < end; ++j) {
      alignas(64) float sums[kRows][kSide];
      panel_sums<kRows>(static_cast<const bf16*>(p.packed) + j * panel_size, a, g.lda, p.k, tail, sums);
      const int64_t column = j * kSide, count = std::min<int64_t>(kSide, p.n - column);
      for (int i = 0; i < kRows; ++i) {
        finish(epilogue, sums[i], column, static_cast<C*>(g.c) + i * g.ldc + column, count);
      }
    }
  });
}

template <typename C>
void run_rows(Team& team, const GemmTilesParams& p) {
  switch (p.gemm->m) {
    case 1:
      return run<1, C>(team, p);
    case 2:
      return run<2, C>(team, p);
    case 3:
      return run<3, C>(team, p);
    default:
      static_assert(kMostRows == 4, "one case per number of rows");
      return run<4, C>(team, p);
  }
}

}  // namespace

void gemv_tiles(Team& team, const GemmTilesParams& p) {
  if (p.gemm->m > kMostRows) fail(TOPV_INTERNAL, "gemv_tiles: %lld rows", static_cast<long long>(p.gemm->m));
  p.gemm->c_dtype == TOPV_F32 ? run_rows<float>(team, p) : run_rows<bf16>(team, p);
}

#else

void gemv_tiles(Team&, const GemmTilesParams&) { fail(TOPV_INTERNAL, "gemv_tiles: no AMX at this level"); }

#endif

}  // namespace topv::cpu::TOPV_ISA
