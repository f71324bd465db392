// The sums of tensor cores, which are not exact.
#pragma once

#include "conformance.hpp"
#include "simt/tensor_core.hpp"

namespace topv::cuda::conformance {

/// a b, a [rows, depth] and b [depth, n], as the emulation adds: steps of `step` columns, cut off after `bits` bits.
template <typename T>
std::vector<double> sums_of_steps(const std::vector<T>& a, const std::vector<T>& b, int rows, int n,
                                  int depth, int step, int bits) {
  std::vector<float> columns(size_t(depth * rows)), right(b.size()), d(size_t(rows * n));
  for (int i = 0; i < rows * depth; i++) columns[size_t(i % depth * rows + i / depth)] = value(a[size_t(i)]);
  for (size_t i = 0; i < b.size(); i++) right[i] = value(b[i]);
  for (int k = 0; k < depth; k += step)
    simt::multiply_add(&columns[size_t(k * rows)], &right[size_t(k * n)], d.data(), rows, n, step, bits,
                       std::is_same_v<T, __half> ? -14 : -126);
  return {d.begin(), d.end()};
}
/// Over many exponents, so that there is something to cut off.
template <typename T>
void spread(std::vector<T>& values) {
  for (size_t i = 0; i < values.size(); i++) {
    const float x = std::ldexp(value(values[i]), -int(i * 7 % 11));
    if constexpr (std::is_same_v<T, float>) values[i] = x;
    if constexpr (std::is_same_v<T, __nv_bfloat16>) values[i] = __float2bfloat16_rn(x);
    if constexpr (std::is_same_v<T, __half>) values[i] = __float2half_rn(x);
  }
}

}  // namespace topv::cuda::conformance
