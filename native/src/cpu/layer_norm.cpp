// y = (x - mean) / sqrt(var + eps) * weight + bias, row by row. The variance is taken about the mean, in a pass of its
// own: the difference of two large sums would cancel. Bound: memory; a row stays in L1 between its passes.
#include <cmath>

#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

template <typename T>
void normalize(const T* x, const float* weight, const float* bias, T* y, int64_t n, float eps) {
  const int64_t whole = n / kLanes * kLanes;
  const int rest = static_cast<int>(n - whole);
  F sum = zero();
  for (int64_t i = 0; i < whole; i += kLanes) sum += load(x + i);
  if (rest > 0) sum += load_n(x + whole, rest);
  const float mean_value = reduce_add(sum) / static_cast<float>(n);
  const F mean = broadcast(mean_value);

  F square = zero();
  for (int64_t i = 0; i < whole; i += kLanes) {
    const F centred = load(x + i) - mean;
    square = fma(centred, centred, square);
  }
  float total = reduce_add(square);
  for (int64_t i = whole; i < n; ++i) {
    const float centred = to_float(x[i]) - mean_value;
    total += centred * centred;
  }

  const F scale = broadcast(1.0f / std::sqrt(total / static_cast<float>(n) + eps));
  for (int64_t i = 0; i < whole; i += kLanes) {
    store(y + i, fma((load(x + i) - mean) * scale, load(weight + i), load(bias + i)));
  }
  if (rest > 0) {
    const F centred = load_n(x + whole, rest) - mean;
    store_n(y + whole, fma(centred * scale, load_n(weight + whole, rest), load_n(bias + whole, rest)), rest);
  }
}

template <typename T>
void run(Team& team, const topv_layer_norm_params& p) {
  parallel_for(team, p.rows, 32768 / (p.cols + 1) + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      normalize(static_cast<const T*>(p.x) + i * p.ldx, p.weight, p.bias, static_cast<T*>(p.y) + i * p.ldy,
                p.cols, p.eps);
    }
  });
}

}  // namespace

void layer_norm(Team& team, const topv_layer_norm_params& p) {
  p.dtype == TOPV_F32 ? run<float>(team, p) : run<bf16>(team, p);
}

}  // namespace topv::cpu::TOPV_ISA
