// The product of two packed tiles, the inner loop of attention and of the transport cost:
//
//   c[rows, kColumns] (+)= a[rows, depth] b[depth, kColumns]      sums in float32
//
// a is row-major; b is stored [depth / kGroup, kColumns, kGroup]; rows is a multiple of kRowStep and depth of
// kDepthStep. FloatTile exists at every level; Bf16Tile where the level has products of bfloat16 (AVX-512 BF16, AMX).
#pragma once

#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

constexpr int kColumns = 2 * kLanes;

/// Swaps rows and columns of a kLanes x kLanes square of 32-bit words.
inline void transpose(F (&r)[kLanes]) {
#if defined(__AVX512F__)
  __m512 t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
    t[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
  }
  __m512 s[16];
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; ++j) {
      const __m512d low = _mm512_castps_pd(t[i + j]), high = _mm512_castps_pd(t[i + j + 2]);
      s[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      s[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
  for (int j = 0; j < 4; ++j) {
    const __m512 a = _mm512_shuffle_f32x4(s[j], s[j + 4], 0x88),
                 b = _mm512_shuffle_f32x4(s[j], s[j + 4], 0xdd);
    const __m512 c = _mm512_shuffle_f32x4(s[j + 8], s[j + 12], 0x88);
    const __m512 d = _mm512_shuffle_f32x4(s[j + 8], s[j + 12], 0xdd);
    r[j].v = _mm512_shuffle_f32x4(a, c, 0x88);
    r[j + 4].v = _mm512_shuffle_f32x4(b, d, 0x88);
    r[j + 8].v = _mm512_shuffle_f32x4(a, c, 0xdd);
    r[j + 12].v = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
#else
  __m256 t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i].v, r[i + 1].v);
    t[i + 1] = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
  }
  __m256 s[8];
  for (int i = 0; i < 8; i += 4) {
    for (int j = 0; j < 2; ++j) {
      s[i + 2 * j] = _mm256_shuffle_ps(t[i + j], t[i + j + 2], 0x44);
      s[i + 2 * j + 1] = _mm256_shuffle_ps(t[i + j], t[i + j + 2], 0xee);
    }
  }
  for (int j = 0; j < 4; ++j) {
    r[j].v = _mm256_permute2f128_ps(s[j], s[j + 4], 0x20);
    r[j + 4].v = _mm256_permute2f128_ps(s[j], s[j + 4], 0x31);
  }
#endif
}

/// Rounds n up to a multiple of step.
constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

struct FloatTile {
  using Element = float;
  static constexpr int kGroup = 1;
  static constexpr int kRowStep = kLanes / 2;  // as many accumulators as the registers hold
  static constexpr int kDepthStep = 1;

  static void multiply(const float* a, int64_t lda, int rows, const float* b, int depth, float* c,
                       bool accumulate) {
    for (int i = 0; i < rows; i += kRowStep) {
      F sum[kRowStep][2];
      for (int r = 0; r < kRowStep; ++r) {
        for (int h = 0; h < 2; ++h)
          sum[r][h] = accumulate ? load(c + (i + r) * kColumns + h * kLanes) : zero();
      }
      const float* left = a + i * lda;
      for (int k = 0; k < depth; ++k) {
        const F b0 = load(b + k * kColumns), b1 = load(b + k * kColumns + kLanes);
#pragma GCC unroll 8
        for (int r = 0; r < kRowStep; ++r) {
          const F x = broadcast(left[r * lda + k]);
          sum[r][0] = fma(x, b0, sum[r][0]);
          sum[r][1] = fma(x, b1, sum[r][1]);
        }
      }
      for (int r = 0; r < kRowStep; ++r) {
        for (int h = 0; h < 2; ++h) store(c + (i + r) * kColumns + h * kLanes, sum[r][h]);
      }
    }
  }
};

#if defined(__AVX512BF16__)

/// Pairs of bfloat16 in 32-bit words: what Bf16Tile's right operand consists of.
struct Bf16Words {
  using Element = bf16;
  static constexpr int kGroup = 2;

  /// Words (even[i], odd[i]) of bfloat16 that were loaded as floats.
  static F join(F even, F odd) {
    const __m512i low = _mm512_srli_epi32(_mm512_castps_si512(even.v), 16);
    return {_mm512_castsi512_ps(_mm512_or_si512(low, _mm512_castps_si512(odd.v)))};
  }
  /// 2 * kLanes neighbours as they lie, negated or not.
  static F words(Pairs x, bool negate) {
    const __m512i flip = _mm512_set1_epi32(negate ? static_cast<int>(0x80008000u) : 0);
    return {_mm512_castsi512_ps(_mm512_xor_si512(x.v, flip))};
  }
  /// at[2i] = even[i], at[2i + 1] = odd[i], rounded to bfloat16.
  static void store_joined(bf16* at, F even, F odd) {
    const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(odd.v, even.v);
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23,
                                           7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    _mm512_storeu_si512(at, _mm512_permutexvar_epi16(order, halves));
  }
};

#endif

#if defined(__AMX_BF16__)

/// Tile registers set up as eight 16 x 64-byte tiles for as long as it lives. Every thread needs its own.
class TileScope {
 public:
  TileScope() {
    struct {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const config;
    _tile_loadconfig(&config);
  }
  ~TileScope() { _tile_release(); }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

struct Bf16Tile : Bf16Words {
  static constexpr int kRowStep = 16;
  static constexpr int kDepthStep = 32;

  /// Needs a TileScope on the calling thread.
  static void multiply(const bf16* a, int64_t lda, int rows, const bf16* b, int depth, float* c,
                       bool accumulate) {
    constexpr int64_t kStride = kColumns * 4;  // bytes of a row of c, and of a row of pairs of b
    int i = 0;
    for (; i + 32 <= rows; i += 32) {
      float* out = c + i * kColumns;
      if (accumulate) {
        _tile_loadd(0, out, kStride);
        _tile_loadd(1, out + 16, kStride);
        _tile_loadd(2, out + 16 * kColumns, kStride);
        _tile_loadd(3, out + 16 * kColumns + 16, kStride);
      } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
      }
      for (int k = 0; k < depth; k += 32) {
        _tile_loadd(6, b + k * kColumns, kStride);
        _tile_loadd(4, a + i * lda + k, lda * 2);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + k * kColumns + 32, kStride);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + (i + 16) * lda + k, lda * 2);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
      _tile_stored(0, out, kStride);
      _tile_stored(1, out + 16, kStride);
      _tile_stored(2, out + 16 * kColumns, kStride);
      _tile_stored(3, out + 16 * kColumns + 16, kStride);
    }
    if (i < rows) {
      float* out = c + i * kColumns;
      if (accumulate) {
        _tile_loadd(0, out, kStride);
        _tile_loadd(1, out + 16, kStride);
      } else {
        _tile_zero(0);
        _tile_zero(1);
      }
      for (int k = 0; k < depth; k += 32) {
        _tile_loadd(4, a + i * lda + k, lda * 2);
        _tile_loadd(6, b + k * kColumns, kStride);
        _tile_loadd(7, b + k * kColumns + 32, kStride);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
      }
      _tile_stored(0, out, kStride);
      _tile_stored(1, out + 16, kStride);
    }
  }
};

#else

class TileScope {
 public:
  TileScope() {}
  ~TileScope() {}
};

#if defined(__AVX512BF16__)

struct Bf16Tile : Bf16Words {
  static constexpr int kRowStep = 8;
  static constexpr int kDepthStep = 2;

  static void multiply(const bf16* a, int64_t lda, int rows, const bf16* b, int depth, float* c,
                       bool accumulate) {
    for (int i = 0; i < rows; i += kRowStep) {
      F sum[kRowStep][2];
      for (int r = 0; r < kRowStep; ++r) {
        for (int h = 0; h < 2; ++h)
          sum[r][h] = accumulate ? load(c + (i + r) * kColumns + h * kLanes) : zero();
      }
      const bf16* left = a + i * lda;
      for (int k = 0; k < depth; k += 2) {
        const Pairs b0 = load_pairs(b + k * kColumns), b1 = load_pairs(b + k * kColumns + 2 * kLanes);
#pragma GCC unroll 8
        for (int r = 0; r < kRowStep; ++r) {
          const Pairs x = broadcast_pair(left + r * lda + k);
          sum[r][0] = dot(x, b0, sum[r][0]);
          sum[r][1] = dot(x, b1, sum[r][1]);
        }
      }
      for (int r = 0; r < kRowStep; ++r) {
        for (int h = 0; h < 2; ++h) store(c + (i + r) * kColumns + h * kLanes, sum[r][h]);
      }
    }
  }
};

#endif
#endif

}  // namespace topv::cpu::TOPV_ISA
