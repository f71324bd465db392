// kv_append, element by element.
#pragma once

#include <vector>

#include "reference/dtype.hpp"

namespace reference {

/// What a cache [cache_slots, Hkv, D] that holds before becomes when rows [T, Hkv, D] with stride ld are appended.
inline std::vector<double> kv_append(const topv_kv_append_params& p, const void* before, const void* rows,
                                     int64_t ld) {
  const int64_t width = int64_t{p.kv_heads} * p.head_dim;
  std::vector<double> cache;
  for (int64_t i = 0; i < p.cache_slots * width; ++i) cache.push_back(at(before, p.dtype, i));
  for (int64_t t = 0; t < p.tokens; ++t) {
    if (p.slots[t] == -1) continue;
    for (int64_t i = 0; i < width; ++i)
      cache[static_cast<size_t>(p.slots[t] * width + i)] = at(rows, p.dtype, t * ld + i);
  }
  return cache;
}

}  // namespace reference
