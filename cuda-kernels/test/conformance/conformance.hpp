// What the groups of conformance share: numbers, and the line that is printed of each result.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

#include "common/elements.cuh"
#include "test_run.hpp"

namespace topv::cuda::conformance {

/// The same numbers everywhere: multiples of 1/64 in [-1, 1], exact in every element type.
struct Numbers {
  uint32_t state = 1;
  float next() {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<int>(state >> 16) % 129 - 64) / 64;
  }
  template <typename T>
  std::vector<T> array(size_t count) {
    std::vector<T> values(count);
    for (T& value : values) {
      const float x = next();
      if constexpr (std::is_same_v<T, float>) value = x;
      if constexpr (std::is_same_v<T, __nv_bfloat16>) value = __float2bfloat16_rn(x);
      if constexpr (std::is_same_v<T, __half>) value = __float2half_rn(x);
    }
    return values;
  }
};
// On the host.
inline float value(float x) { return x; }
inline float value(__nv_bfloat16 x) { return __bfloat162float(x); }
inline float value(__half x) { return __half2float(x); }

/// Prints a line: the largest difference, what is allowed, a checksum of the bits of actual.
void compare(const std::string& name, const std::vector<float>& actual, const std::vector<double>& expected,
             double allowed);
template <typename T>
const char* type_name() {
  return std::is_same_v<T, float> ? "f32" : std::is_same_v<T, __half> ? "f16" : "bf16";
}

// A file each.
void mma();
void async_copies();
void threads();
// On a Hopper:
void clusters();
void bulk_copies();
void tensor_maps();
void wgmma();

}  // namespace topv::cuda::conformance
