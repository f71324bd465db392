// rope(q), rope(k) and kv_append(k, v), token by token: a row of k is still in L1 when it goes to the cache. Bound: memory.
#include <cstring>

#include "cpu/kernel.hpp"
#include "cpu/rope.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

void check(const topv_rope_append_params& p) {
  for (int64_t t = 0; t < p.tokens; ++t) {
    if (p.positions[t] < 0 || p.positions[t] >= p.max_positions) {
      fail(TOPV_INVALID_ARGUMENT, "rope_append: positions[%lld] = %d is not in [0, %lld)",
           static_cast<long long>(t), p.positions[t], static_cast<long long>(p.max_positions));
    }
    if (p.slots[t] < -1 || p.slots[t] >= p.cache_slots) {
      fail(TOPV_INVALID_ARGUMENT, "rope_append: slots[%lld] = %d is neither -1 nor in [0, %lld)",
           static_cast<long long>(t), p.slots[t], static_cast<long long>(p.cache_slots));
    }
  }
}

template <typename T>
void run(Team& team, const topv_rope_append_params& p) {
  const int half = p.head_dim / 2;
  const int64_t width = int64_t{p.kv_heads} * p.head_dim;
  const int64_t all = int64_t{p.q_heads} * p.head_dim + 2 * width;
  const auto rotate_heads = [&](T* x, int heads, const float* table) {
    for (int h = 0; h < heads; ++h, x += p.head_dim) rotate(x, x + half, table, table + half, half);
  };
  parallel_for(team, p.tokens, 32768 / (all + 1) + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const float* table = p.cos_sin + p.positions[t] * int64_t{p.head_dim};
      T* k = static_cast<T*>(p.k) + t * p.ldk;
      rotate_heads(static_cast<T*>(p.q) + t * p.ldq, p.q_heads, table);
      rotate_heads(k, p.kv_heads, table);
      if (p.slots[t] < 0) continue;
      const size_t bytes = sizeof(T) * static_cast<size_t>(width);
      std::memcpy(static_cast<T*>(p.k_cache) + p.slots[t] * width, k, bytes);
      std::memcpy(static_cast<T*>(p.v_cache) + p.slots[t] * width, static_cast<const T*>(p.v) + t * p.ldv,
                  bytes);
    }
  });
}

}  // namespace

void rope_append(Team& team, const topv_rope_append_params& p) {
  check(p);
  p.dtype == TOPV_F32 ? run<float>(team, p) : run<bf16>(team, p);
}

}  // namespace topv::cpu::TOPV_ISA
