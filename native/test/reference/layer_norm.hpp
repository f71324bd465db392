// layer_norm in double precision.
#pragma once

#include <vector>

#include "reference/dtype.hpp"

namespace reference {

/// y [rows, cols] dense, and the sizes of the terms that each y is the sum of.
struct LayerNorm {
  std::vector<double> y, terms;
};

inline LayerNorm layer_norm(const topv_layer_norm_params& p) {
  LayerNorm result;
  const double n = static_cast<double>(p.cols);
  for (int64_t i = 0; i < p.rows; ++i) {
    const auto x = [&](int64_t j) { return at(p.x, p.dtype, i * p.ldx + j); };
    double mean = 0, variance = 0;
    for (int64_t j = 0; j < p.cols; ++j) mean += x(j) / n;
    for (int64_t j = 0; j < p.cols; ++j) variance += std::pow(x(j) - mean, 2) / n;
    const double scale = 1 / std::sqrt(variance + static_cast<double>(p.eps));
    for (int64_t j = 0; j < p.cols; ++j) {
      const double w = at(p.weight, TOPV_F32, j), b = at(p.bias, TOPV_F32, j);
      result.y.push_back((x(j) - mean) * scale * w + b);
      result.terms.push_back((std::fabs(x(j)) + std::fabs(mean)) * scale * std::fabs(w) + std::fabs(b));
    }
  }
  return result;
}

}  // namespace reference
