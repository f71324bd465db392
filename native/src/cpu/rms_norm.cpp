// y = x / sqrt(mean(x^2) + eps) * weight, row by row. Bound: memory; a row stays in L1 between its two passes.
#include <cmath>

#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

template <typename T>
void normalize(const T* x, const float* weight, T* y, int64_t n, float eps) {
  F square = zero();
  for (int64_t i = 0; i < n; i += kLanes) {
    const F value = i + kLanes <= n ? load(x + i) : load_n(x + i, static_cast<int>(n - i));
    square = fma(value, value, square);
  }
  const F scale = broadcast(1.0f / std::sqrt(reduce_add(square) / static_cast<float>(n) + eps));
  for (int64_t i = 0; i < n; i += kLanes) {
    if (i + kLanes <= n) {
      store(y + i, load(x + i) * scale * load(weight + i));
    } else {
      const int rest = static_cast<int>(n - i);
      store_n(y + i, load_n(x + i, rest) * scale * load_n(weight + i, rest), rest);
    }
  }
}

template <typename T>
void run(Team& team, const topv_rms_norm_params& p) {
  parallel_for(team, p.rows, 32768 / (p.cols + 1) + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      normalize(static_cast<const T*>(p.x) + i * p.ldx, p.weight, static_cast<T*>(p.y) + i * p.ldy, p.cols,
                p.eps);
    }
  });
}

}  // namespace

void rms_norm(Team& team, const topv_rms_norm_params& p) {
  p.dtype == TOPV_F32 ? run<float>(team, p) : run<bf16>(team, p);
}

}  // namespace topv::cpu::TOPV_ISA
