// The activations of gelu in double precision.
#pragma once

#include <vector>

#include "reference/dtype.hpp"

namespace reference {

inline double gelu(double x, int32_t activation) {
  switch (activation) {
    case TOPV_ACTIVATION_GELU:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case TOPV_ACTIVATION_GELU_TANH:
      return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    default:
      return x / (1 + std::exp(-1.702 * x));
  }
}

/// [rows, cols] dense.
inline std::vector<double> gelu(const topv_gelu_params& p) {
  std::vector<double> y;
  for (int64_t i = 0; i < p.rows; ++i) {
    for (int64_t j = 0; j < p.cols; ++j) y.push_back(gelu(at(p.x, p.dtype, i * p.ldx + j), p.activation));
  }
  return y;
}

}  // namespace reference
