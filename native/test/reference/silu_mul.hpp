// silu_mul in double precision.
#pragma once

#include <vector>

#include "reference/dtype.hpp"

namespace reference {

/// [rows, cols] dense.
inline std::vector<double> silu_mul(const topv_silu_mul_params& p) {
  std::vector<double> y;
  for (int64_t i = 0; i < p.rows; ++i) {
    for (int64_t j = 0; j < p.cols; ++j) {
      const double gate = at(p.x, p.dtype, i * p.ldx + j), up = at(p.x, p.dtype, i * p.ldx + p.cols + j);
      y.push_back(gate / (1 + std::exp(-gate)) * up);
    }
  }
  return y;
}

}  // namespace reference
