// Vectors of float of the width of the level this file is compiled for, and bfloat16 to go with them.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace topv::cpu {

/// Storage of a bfloat16 and of an IEEE half.
struct bf16 {
  uint16_t bits;
};
struct f16 {
  uint16_t bits;
};

}  // namespace topv::cpu

namespace topv::cpu::TOPV_ISA {

#if defined(__AVX512F__)

constexpr int kLanes = 16;

struct F {
  __m512 v;
};

inline F broadcast(float x) { return {_mm512_set1_ps(x)}; }
inline F zero() { return {_mm512_setzero_ps()}; }
inline F load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, F x) { _mm512_storeu_ps(p, x.v); }
inline F operator+(F a, F b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F operator-(F a, F b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F operator*(F a, F b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F operator/(F a, F b) { return {_mm512_div_ps(a.v, b.v)}; }
inline F fma(F a, F b, F c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F max(F a, F b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F min(F a, F b) { return {_mm512_min_ps(a.v, b.v)}; }
inline F sqrt(F a) { return {_mm512_sqrt_ps(a.v)}; }
inline F abs(F a) { return {_mm512_abs_ps(a.v)}; }
inline F round(F a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline float reduce_add(F a) { return _mm512_reduce_add_ps(a.v); }
inline float reduce_max(F a) { return _mm512_reduce_max_ps(a.v); }
inline float reduce_min(F a) { return _mm512_reduce_min_ps(a.v); }
/// a < b ? x : y per lane.
inline F select_less(F a, F b, F x, F y) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), y.v, x.v)};
}
/// a * 2^n for whole n; saturates to 0 and inf.
inline F scale2(F a, F n) { return {_mm512_scalef_ps(a.v, n.v)}; }

inline F load(const bf16* p) {
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))};
}
inline F load(const f16* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}

/// The sixteen values as bfloat16, to nearest even; NaN stays NaN.
inline __m256i to_bf16(F x) {
  const __m512i bits = _mm512_castps_si512(x.v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __mmask16 nan = _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q);
  rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}
inline void store(bf16* p, F x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), to_bf16(x)); }

/// The first n (0 <= n <= kLanes) elements; the other lanes are 0 and their memory is not touched.
inline F load_n(const float* p, int n) { return {_mm512_maskz_loadu_ps(_bzhi_u32(0xffffu, n), p)}; }
inline F load_n(const bf16* p, int n) {
  const __m256i half = _mm256_maskz_loadu_epi16(_bzhi_u32(0xffffu, n), p);
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))};
}
inline F load_n(const f16* p, int n) {
  return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(_bzhi_u32(0xffffu, n), p))};
}
inline void store_n(float* p, F x, int n) { _mm512_mask_storeu_ps(p, _bzhi_u32(0xffffu, n), x.v); }
inline void store_n(bf16* p, F x, int n) { _mm256_mask_storeu_epi16(p, _bzhi_u32(0xffffu, n), to_bf16(x)); }

/// 2 * kLanes bfloat16.
struct Pairs {
  __m512i v;
};
inline Pairs load_pairs(const bf16* p) { return {_mm512_loadu_si512(p)}; }
inline Pairs load_pairs_n(const bf16* p, int n) {
  return {_mm512_maskz_loadu_epi16(_bzhi_u32(0xffffffffu, n), p)};
}
/// One pair in every lane.
inline Pairs broadcast_pair(const bf16* p) {
  int32_t pair;
  std::memcpy(&pair, p, 4);
  return {_mm512_set1_epi32(pair)};
}
/// acc[i] + a[2i] b[2i] + a[2i+1] b[2i+1], in float32.
inline F dot(Pairs a, Pairs b, F acc) {
#if defined(__AVX512BF16__)
  return {_mm512_dpbf16_ps(acc.v, (__m512bh)a.v, (__m512bh)b.v)};
#else
  const __m512i high = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  const __m512 even = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(a.v, 16)),
                                      _mm512_castsi512_ps(_mm512_slli_epi32(b.v, 16)), acc.v);
  return {_mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(a.v, high)),
                          _mm512_castsi512_ps(_mm512_and_si512(b.v, high)), even)};
#endif
}

#else  // AVX2 and FMA

constexpr int kLanes = 8;

struct F {
  __m256 v;
};

inline F broadcast(float x) { return {_mm256_set1_ps(x)}; }
inline F zero() { return {_mm256_setzero_ps()}; }
inline F load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline void store(float* p, F x) { _mm256_storeu_ps(p, x.v); }
inline F operator+(F a, F b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F operator-(F a, F b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F operator*(F a, F b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F operator/(F a, F b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F fma(F a, F b, F c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F max(F a, F b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F min(F a, F b) { return {_mm256_min_ps(a.v, b.v)}; }
inline F sqrt(F a) { return {_mm256_sqrt_ps(a.v)}; }
inline F abs(F a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline F round(F a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline float reduce_add(F a) {
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
inline float reduce_max(F a) {
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}
inline float reduce_min(F a) { return -reduce_max(broadcast(0) - a); }
inline F select_less(F a, F b, F x, F y) {
  return {_mm256_blendv_ps(y.v, x.v, _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ))};
}
inline F scale2(F a, F n) {
  // In two halves, so that each factor is a normal number.
  const __m256i whole = _mm256_cvtps_epi32(min(max(n, broadcast(-252)), broadcast(252)).v);
  const __m256i half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256 x = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  const __m256 y = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  return {_mm256_mul_ps(_mm256_mul_ps(a.v, x), y)};
}

inline F load(const bf16* p) {
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16))};
}
inline F load(const f16* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}

inline __m128i to_bf16(F x) {
  const __m256i bits = _mm256_castps_si256(x.v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256 nan = _mm256_cmp_ps(x.v, x.v, _CMP_UNORD_Q);
  const __m256i kept =
      _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_castsi256_ps(quiet), nan));
  const __m256i words = _mm256_srli_epi32(kept, 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}
inline void store(bf16* p, F x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_bf16(x)); }

inline __m256i lane_mask(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline F load_n(const float* p, int n) { return {_mm256_maskload_ps(p, lane_mask(n))}; }
inline F load_n(const bf16* p, int n) {
  bf16 part[kLanes] = {};
  std::memcpy(part, p, sizeof(bf16) * n);
  return load(part);
}
inline F load_n(const f16* p, int n) {
  f16 part[kLanes] = {};
  std::memcpy(part, p, sizeof(f16) * n);
  return load(part);
}
inline void store_n(float* p, F x, int n) { _mm256_maskstore_ps(p, lane_mask(n), x.v); }
inline void store_n(bf16* p, F x, int n) {
  bf16 part[kLanes];
  store(part, x);
  std::memcpy(p, part, sizeof(bf16) * n);
}

struct Pairs {
  __m256i v;
};
inline Pairs load_pairs(const bf16* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
inline Pairs load_pairs_n(const bf16* p, int n) {
  bf16 part[2 * kLanes] = {};
  std::memcpy(part, p, sizeof(bf16) * n);
  return load_pairs(part);
}
inline Pairs broadcast_pair(const bf16* p) {
  int32_t pair;
  std::memcpy(&pair, p, 4);
  return {_mm256_set1_epi32(pair)};
}
inline F dot(Pairs a, Pairs b, F acc) {
  const __m256i high = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
  const __m256 even = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(a.v, 16)),
                                      _mm256_castsi256_ps(_mm256_slli_epi32(b.v, 16)), acc.v);
  return {_mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_and_si256(a.v, high)),
                          _mm256_castsi256_ps(_mm256_and_si256(b.v, high)), even)};
}

#endif

// ---- the same at every width

inline F load_n(const float* p, int n, float fill) {
  alignas(64) float part[kLanes];
  store(part, broadcast(fill));
  std::memcpy(part, p, sizeof(float) * n);
  return load(part);
}
inline F& operator+=(F& a, F b) { return a = a + b; }
inline F& operator*=(F& a, F b) { return a = a * b; }

inline float to_float(float x) { return x; }
inline float to_float(bf16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline float to_float(f16 x) { return _cvtsh_ss(x.bits); }
template <typename T>
T from_float(float x) {
  T value;
  store_n(&value, broadcast(x), 1);
  return value;
}

/// e^x: relative error below 2 ulp; 0 below about -104, inf above 88.73, NaN stays NaN.
inline F exp(F x) {
  // min and max return their second operand when one is NaN, so x comes second.
  const F bounded = min(broadcast(128.0f), max(broadcast(-110.0f), x));
  const F n = round(bounded * broadcast(1.44269504f));
  F r = fma(n, broadcast(-0.693359375f), bounded);
  r = fma(n, broadcast(2.12194440e-4f), r);
  F p = broadcast(1.9875691500e-4f);
  p = fma(p, r, broadcast(1.3981999507e-3f));
  p = fma(p, r, broadcast(8.3334519073e-3f));
  p = fma(p, r, broadcast(4.1665795894e-2f));
  p = fma(p, r, broadcast(1.6666665459e-1f));
  p = fma(p, r, broadcast(5.0000001201e-1f));
  p = fma(p, r * r, r + broadcast(1.0f));
  return scale2(p, n);
}

/// 1 / (1 + e^-x).
inline F sigmoid(F x) { return broadcast(1.0f) / (broadcast(1.0f) + exp(zero() - x)); }

}  // namespace topv::cpu::TOPV_ISA
