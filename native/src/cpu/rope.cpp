// Rotates the pairs (i, i + D/2) of every head of a token by the angles of its position, in place. Bound: memory.
#include "cpu/rope.hpp"

#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

template <typename T>
void run(Team& team, const topv_rope_params& p) {
  const int half = p.head_dim / 2;
  const int64_t width = int64_t{p.heads} * p.head_dim;
  parallel_for(team, p.tokens, 32768 / (width + 1) + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const float* table = p.cos_sin + p.positions[t] * int64_t{p.head_dim};
      T* x = static_cast<T*>(p.x) + t * p.ldx;
      for (int h = 0; h < p.heads; ++h, x += p.head_dim) rotate(x, x + half, table, table + half, half);
    }
  });
}

}  // namespace

void rope(Team& team, const topv_rope_params& p) {
  for (int64_t t = 0; t < p.tokens; ++t) {
    if (p.positions[t] < 0 || p.positions[t] >= p.max_positions) {
      fail(TOPV_INVALID_ARGUMENT, "rope: positions[%lld] = %d is not in [0, %lld)", static_cast<long long>(t),
           p.positions[t], static_cast<long long>(p.max_positions));
    }
  }
  p.dtype == TOPV_F32 ? run<float>(team, p) : run<bf16>(team, p);
}

}  // namespace topv::cpu::TOPV_ISA
