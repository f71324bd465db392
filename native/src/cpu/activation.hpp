// The activations of topv.h on vectors; for kernels that apply them on the way.
#pragma once

#include "cpu/simd.hpp"
#include "topv/topv.h"

namespace topv::cpu::TOPV_ISA {

/// Phi(x), the normal distribution function; absolute error below 2e-7. By erfc(z) = t e^(Q(t) - z^2), t = 1
/// / (1 + z/2), z >= 0, where Q is a least-squares fit of our own of degree 9 on z in [0, 12].
inline F normal_cdf(F x) {
  constexpr float kQ[] = {1.5775101395e-01f, -7.5018157881e-01f, 1.3186529526e+00f, -9.0974067666e-01f,
                          9.4321429920e-02f, -9.0255659972e-02f, 6.5232651269e-02f, 3.8035412164e-01f,
                          9.9934807831e-01f, -1.2654822746e+00f};
  const F z = abs(x) * broadcast(0.70710678f);
  const F t = broadcast(1.0f) / fma(z, broadcast(0.5f), broadcast(1.0f));
  F q = broadcast(kQ[0]);
  for (int i = 1; i < 10; ++i) q = fma(q, t, broadcast(kQ[i]));
  const F tail = broadcast(0.5f) * t * exp(q - z * z);
  return select_less(x, zero(), tail, broadcast(1.0f) - tail);
}

inline F gelu_erf(F x) { return x * normal_cdf(x); }

/// 0.5 x (1 + tanh(u)) = x / (1 + e^(-2u)), u = sqrt(2 / pi) (x + 0.044715 x^3).
inline F gelu_tanh(F x) {
  const F twice = x * fma(x * x, broadcast(2 * 0.7978845608f * 0.044715f), broadcast(2 * 0.7978845608f));
  return x * sigmoid(twice);
}

inline F quick_gelu(F x) { return x * sigmoid(x * broadcast(1.702f)); }

inline F silu(F x) { return x * sigmoid(x); }

inline F activate(F x, int32_t activation) {
  switch (activation) {
    case TOPV_ACTIVATION_GELU:
      return gelu_erf(x);
    case TOPV_ACTIVATION_GELU_TANH:
      return gelu_tanh(x);
    case TOPV_ACTIVATION_QUICK_GELU:
      return quick_gelu(x);
    default:
      return x;
  }
}

}  // namespace topv::cpu::TOPV_ISA
