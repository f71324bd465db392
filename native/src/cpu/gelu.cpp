// y = activation(x) elementwise: GELU (erf), its tanh approximation, quick-GELU. Bound: arithmetic.
#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

/// e^(z^2) erfc(z) for z >= 0 as a polynomial in t = 1 / (1 + z / 2): relative error below 3e-7 up to z = 10. Fitted by
/// weighted least squares against scipy.special.erfcx.
F scaled_erfc(F z) {
  constexpr float kCoefficients[] = {0.012283893302083015f, -0.12325477600097656f, 0.42892858386039734f,
                                     -0.6700226664543152f,  0.4212743937969208f,   -0.0983176976442337f,
                                     0.2255418747663498f,   0.23864483833312988f,  0.2828570306301117f,
                                     0.2820644974708557f};
  const F t = broadcast(1.0f) / fma(z, broadcast(0.5f), broadcast(1.0f));
  F sum = broadcast(kCoefficients[0]);
  for (int i = 1; i < 10; ++i) sum = fma(sum, t, broadcast(kCoefficients[i]));
  return sum * t;
}

struct Gelu {
  // From the tail of the normal distribution, which keeps its relative precision for negative x.
  static F apply(F x) {
    const F z = abs(x) * broadcast(0.70710678f);
    const F tail = broadcast(0.5f) * scaled_erfc(z) * exp(zero() - z * z);
    return x * select_less(x, zero(), tail, broadcast(1.0f) - tail);
  }
};

struct GeluTanh {
  // 0.5 (1 + tanh(u)) = sigmoid(2u)
  static F apply(F x) {
    const F cubic = fma(x * x, broadcast(0.044715f), broadcast(1.0f));
    return x * sigmoid(broadcast(1.5957691216f) * x * cubic);
  }
};

struct QuickGelu {
  static F apply(F x) { return x * sigmoid(broadcast(1.702f) * x); }
};

template <typename Activation, typename T>
void run(Team& team, const topv_gelu_params& p) {
  parallel_for(team, p.rows, 16384 / (p.cols + 1) + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const T* x = static_cast<const T*>(p.x) + i * p.ldx;
      T* y = static_cast<T*>(p.y) + i * p.ldy;
      int64_t j = 0;
      for (; j + kLanes <= p.cols; j += kLanes) store(y + j, Activation::apply(load(x + j)));
      if (j < p.cols) {
        const int rest = static_cast<int>(p.cols - j);
        store_n(y + j, Activation::apply(load_n(x + j, rest)), rest);
      }
    }
  });
}

template <typename Activation>
void run(Team& team, const topv_gelu_params& p) {
  p.dtype == TOPV_F32 ? run<Activation, float>(team, p) : run<Activation, bf16>(team, p);
}

}  // namespace

void gelu(Team& team, const topv_gelu_params& p) {
  switch (p.activation) {
    case TOPV_ACTIVATION_GELU:
      return run<Gelu>(team, p);
    case TOPV_ACTIVATION_GELU_TANH:
      return run<GeluTanh>(team, p);
    default:
      return run<QuickGelu>(team, p);
  }
}

}  // namespace topv::cpu::TOPV_ISA
