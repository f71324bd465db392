// k_cache[slot[t]] = k[t], v_cache[slot[t]] = v[t]: rows of Hkv * D elements. Bound: memory.
#include <cstring>

#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {

void kv_append(Team& team, const topv_kv_append_params& p) {
  for (int64_t t = 0; t < p.tokens; ++t) {
    if (p.slots[t] < -1 || p.slots[t] >= p.cache_slots) {
      fail(TOPV_INVALID_ARGUMENT, "kv_append: slots[%lld] = %d is neither -1 nor in [0, %lld)",
           static_cast<long long>(t), p.slots[t], static_cast<long long>(p.cache_slots));
    }
  }
  const size_t element = p.dtype == TOPV_F32 ? 4 : 2;
  const size_t row = element * p.kv_heads * p.head_dim;
  const auto copy = [&](void* cache, const void* rows, int64_t ld) {
    // Two tokens may name one slot: the later one wins, so one thread goes through a cache in order.
    for (int64_t t = 0; t < p.tokens; ++t) {
      if (p.slots[t] < 0) continue;
      std::memcpy(static_cast<char*>(cache) + row * p.slots[t],
                  static_cast<const char*>(rows) + element * ld * t, row);
    }
  };
  const bool small = p.tokens * static_cast<int64_t>(row) < 262144;
  parallel_for(team, 2, small ? 2 : 1, [&](int64_t begin, int64_t end, int) {
    if (begin == 0) copy(p.k_cache, p.k, p.ldk);
    if (end == 2) copy(p.v_cache, p.v, p.ldv);
  });
}

}  // namespace topv::cpu::TOPV_ISA
