// rope in double precision.
#pragma once

#include <vector>

#include "reference/dtype.hpp"

namespace reference {

/// [tokens, heads, D] dense: what x becomes.
inline std::vector<double> rope(const topv_rope_params& p) {
  std::vector<double> y;
  const int half = p.head_dim / 2;
  for (int64_t t = 0; t < p.tokens; ++t) {
    for (int h = 0; h < p.heads; ++h) {
      for (int i = 0; i < p.head_dim; ++i) {
        const int64_t head = t * p.ldx + int64_t{h} * p.head_dim, row = int64_t{p.positions[t]} * p.head_dim;
        const double cosine = at(p.cos_sin, TOPV_F32, row + i % half);
        const double sine = at(p.cos_sin, TOPV_F32, row + half + i % half);
        const double x = at(p.x, p.dtype, head + i), pair = at(p.x, p.dtype, head + (i + half) % p.head_dim);
        y.push_back(i < half ? x * cosine - pair * sine : x * cosine + pair * sine);
      }
    }
  }
  return y;
}

}  // namespace reference
