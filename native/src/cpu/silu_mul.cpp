// y = silu(gate) * up, the two halves of a fused product. Bound: memory in bf16, the exponential in float32.
#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

F gated(F gate, F up) { return gate * sigmoid(gate) * up; }

template <typename T>
void row(const T* gate, const T* up, T* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, gated(load(gate + i), load(up + i)));
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    store_n(y + i, gated(load_n(gate + i, rest), load_n(up + i, rest)), rest);
  }
}

template <typename T>
void run(Team& team, const topv_silu_mul_params& p) {
  parallel_for(team, p.rows, 32768 / (p.cols + 1) + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const T* x = static_cast<const T*>(p.x) + i * p.ldx;
      row(x, x + p.cols, static_cast<T*>(p.y) + i * p.ldy, p.cols);
    }
  });
}

}  // namespace

void silu_mul(Team& team, const topv_silu_mul_params& p) {
  p.dtype == TOPV_F32 ? run<float>(team, p) : run<bf16>(team, p);
}

}  // namespace topv::cpu::TOPV_ISA
