// kv_gather, one row after the other.
#pragma once

#include <vector>

#include "reference/dtype.hpp"

namespace reference {

/// What a cache [cache_slots, Hkv, D] that holds before becomes.
inline std::vector<double> kv_gather(const topv_kv_gather_params& p, const void* before) {
  const int64_t width = int64_t{p.kv_heads} * p.head_dim;
  std::vector<double> cache;
  for (int64_t i = 0; i < p.cache_slots * width; ++i) cache.push_back(at(before, p.dtype, i));
  for (int64_t i = 0; i < p.count; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      cache[static_cast<size_t>(p.dst_slots[i] * width + j)] =
          cache[static_cast<size_t>(p.src_slots[i] * width + j)];
    }
  }
  return cache;
}

}  // namespace reference
