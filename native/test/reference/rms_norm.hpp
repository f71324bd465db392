// rms_norm in double precision.
#pragma once

#include <vector>

#include "reference/dtype.hpp"

namespace reference {

/// [rows, cols] dense.
inline std::vector<double> rms_norm(const topv_rms_norm_params& p) {
  std::vector<double> y;
  for (int64_t i = 0; i < p.rows; ++i) {
    double square = 0;
    for (int64_t j = 0; j < p.cols; ++j) square += std::pow(at(p.x, p.dtype, i * p.ldx + j), 2);
    const double scale = 1 / std::sqrt(square / static_cast<double>(p.cols) + static_cast<double>(p.eps));
    for (int64_t j = 0; j < p.cols; ++j) {
      y.push_back(at(p.x, p.dtype, i * p.ldx + j) * scale * at(p.weight, TOPV_F32, j));
    }
  }
  return y;
}

}  // namespace reference
