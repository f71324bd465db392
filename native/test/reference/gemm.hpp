// gemm in double precision.
#pragma once

#include <cmath>
#include <cstdint>

#include "topv/topv.h"

namespace reference {

inline double activate(double x, int32_t activation) {
  switch (activation) {
    case TOPV_ACTIVATION_GELU:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case TOPV_ACTIVATION_GELU_TANH:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case TOPV_ACTIVATION_QUICK_GELU:
      return x / (1 + std::exp(-1.702 * x));
    default:
      return x;
  }
}

/// The sum over k of a[i, k] w[k] and, in *size, of the absolute products.
template <typename A, typename W>
double dot(int64_t k, const A& a, const W& w, double* size) {
  double sum = 0;
  *size = 0;
  for (int64_t x = 0; x < k; ++x) {
    const double product = static_cast<double>(a(x)) * w(x);
    sum += product;
    *size += std::fabs(product);
  }
  return sum;
}

}  // namespace reference
