#pragma once

#include "simt/builtins.hpp"
#include "simt/mma.hpp"

namespace topv::ptx {

inline void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SIMT_SITE) {
  simt::multiply(simt::MmaType::bf16, d, a, b, {file, line});
}
inline void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SIMT_SITE) {
  simt::multiply(simt::MmaType::f16, d, a, b, {file, line});
}
template <typename T>
void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SIMT_SITE) {
  simt::multiply(std::is_same_v<T, __half> ? simt::MmaType::f16 : simt::MmaType::bf16, d, a, b, {file, line});
}
inline void mma_m16n8k8_tf32(float (&d)[4], const float (&a)[4], const float (&b)[2], SIMT_SITE) {
  uint32_t a_bits[4], b_bits[2];
  for (int i = 0; i < 4; i++) a_bits[i] = __float_as_uint(a[i]);
  for (int i = 0; i < 2; i++) b_bits[i] = __float_as_uint(b[i]);
  simt::multiply(simt::MmaType::tf32, d, a_bits, b_bits, {file, line});
}
inline float round_tf32(float x) {
  const uint32_t bits = __float_as_uint(x);
  return (bits & 0x7fffffff) >= 0x7f800000 ? x : __uint_as_float((bits + 0x1000) & 0xffffe000u);
}

template <bool Trans>
void ldmatrix_x4(uint32_t (&r)[4], const void* row, SIMT_SITE) {
  simt::load_matrices(4, Trans, r, row, {file, line});
}
template <bool Trans>
void ldmatrix_x2(uint32_t (&r)[2], const void* row, SIMT_SITE) {
  simt::load_matrices(2, Trans, r, row, {file, line});
}

}  // namespace topv::ptx
