// The rotation of rope and rope_append.
#pragma once

#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

/// Rotates the pairs (low[i], high[i]) of one head by the angles of its position.
template <typename T>
void rotate(T* low, T* high, const float* cosine, const float* sine, int half) {
  for (int i = 0; i < half; i += kLanes) {
    const int n = half - i < kLanes ? half - i : kLanes;
    const F a = load_n(low + i, n), b = load_n(high + i, n);
    const F c = load_n(cosine + i, n), s = load_n(sine + i, n);
    store_n(low + i, fma(a, c, zero() - b * s), n);
    store_n(high + i, fma(b, c, a * s), n);
  }
}

}  // namespace topv::cpu::TOPV_ISA
