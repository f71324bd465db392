// cache_l[dst_slots[i]] = cache_l[src_slots[i]] for every layer l, k and v: each cache is one task and is gone through in
// ascending i, so an in-place compaction reads every row before it is overwritten. Bound: memory.
#include <cstring>

#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

void check(const char* field, const int32_t* slots, const topv_kv_gather_params& p) {
  for (int64_t i = 0; i < p.count; ++i) {
    if (slots[i] < 0 || slots[i] >= p.cache_slots) {
      fail(TOPV_INVALID_ARGUMENT, "kv_gather: %s[%lld] = %d is not in [0, %lld)", field,
           static_cast<long long>(i), slots[i], static_cast<long long>(p.cache_slots));
    }
  }
}

}  // namespace

void kv_gather(Team& team, const topv_kv_gather_params& p) {
  check("src_slots", p.src_slots, p);
  check("dst_slots", p.dst_slots, p);
  const size_t row = size_t{p.dtype == TOPV_F32 ? 4u : 2u} * p.kv_heads * p.head_dim;
  parallel_for(team, int64_t{2} * p.layer_count, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t task = begin; task < end; ++task) {
      char* cache = static_cast<char*>(task % 2 == 0 ? p.k_caches[task / 2] : p.v_caches[task / 2]);
      for (int64_t i = 0; i < p.count; ++i) {
        if (p.src_slots[i] == p.dst_slots[i]) continue;
        std::memcpy(cache + row * p.dst_slots[i], cache + row * p.src_slots[i], row);
      }
    }
  });
}

}  // namespace topv::cpu::TOPV_ISA
