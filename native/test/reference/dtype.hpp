// Elements of any dtype as double, and how far a result may be off.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "topv/topv.h"

namespace reference {

/// Element i of an F32, BF16 or F16 array.
inline double at(const void* data, int32_t dtype, int64_t i) {
  if (dtype == TOPV_F32) return static_cast<double>(static_cast<const float*>(data)[i]);
  if (dtype == TOPV_F16) return static_cast<double>(static_cast<const _Float16*>(data)[i]);
  const uint32_t bits = static_cast<uint32_t>(static_cast<const uint16_t*>(data)[i]) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return static_cast<double>(value);
}

/// Distance of neighbours of dtype about magnitude.
inline double ulp(double magnitude, int32_t dtype) {
  int exponent = 0;
  std::frexp(std::fmax(std::fabs(magnitude), 1e-30), &exponent);
  return std::ldexp(1.0, exponent - (dtype == TOPV_BF16 ? 8 : 24));
}

/// What float32 arithmetic on terms of size scale may lose (steps roundings), and the one rounding to dtype: at most
/// half an ulp, to nearest even.
inline double allowed(double expected, double scale, double steps, int32_t dtype) {
  const double arithmetic = steps * ulp(scale, TOPV_F32);
  return dtype == TOPV_BF16 ? arithmetic + 0.5 * ulp(std::fabs(expected) + arithmetic, TOPV_BF16)
                            : arithmetic;
}

}  // namespace reference
