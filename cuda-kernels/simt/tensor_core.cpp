#include "simt/tensor_core.hpp"

#include <algorithm>
#include <cmath>

#include "simt/sanitizers.hpp"

namespace simt {
namespace {

uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}
float float_of(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}

constexpr int kDepth = 16, kColumns = 256;
constexpr float kLeast = -126;    ///< exponent of zero
constexpr float kInfinite = 1e3;  ///< of what is not finite
constexpr float kReach =
    100;  ///< exponents up to here are added in floats and integers; larger ones in double

float exponent(float x, float least) {
  const int field = int(bits_of(x) >> 23 & 0xff);
  if (field == 0xff) return kInfinite;
  return x == 0 ? kLeast : std::max(float(field - 127), least);
}

float cut_off(double x) {
  if (!(std::fabs(x) < 0x1p128)) return float(x);
  uint64_t bits;
  __builtin_memcpy(&bits, &x, 8);
  bits &= ~uint64_t{0x1fffffff};
  __builtin_memcpy(&x, &bits, 8);
  return float(x);
}

/// One element, whatever its terms are. a and b: strides between their elements.
float add(float d, const float* a, int a_step, const float* b, int b_step, int depth, int bits, float top) {
  double plain = d, sum = 0;
  for (int k = 0; k < depth; k++) plain += double(a[k * a_step]) * b[k * b_step];
  if (!std::isfinite(plain)) return float(plain);
  const int shift = bits - int(top);
  sum = std::trunc(std::ldexp(double(d), shift));
  for (int k = 0; k < depth; k++) sum += std::trunc(std::ldexp(double(a[k * a_step]) * b[k * b_step], shift));
  return cut_off(std::ldexp(sum, -shift));
}

/// x: a row's element and its exponent, by k; b and its exponents [depth, n]. Written for the compiler to vectorize.
struct Factor {
  float value, exponent;
};
__attribute__((optimize("O3"))) SIMT_FAST bool add_row(const Factor* x, const float* __restrict b,
                                                       const float* __restrict b_exponents,
                                                       float* __restrict d, float* __restrict top, int n,
                                                       int depth, int bits) {
  float scale[kColumns], most = 0;
  int sum[2][kColumns];
  for (int j = 0; j < n; j++) {
    const float e = float(int(bits_of(d[j]) >> 23 & 0xff) - 127);
    top[j] = e < kLeast ? kLeast : e;
  }
  for (int k = 0; k < depth; k++)
    for (int j = 0; j < n; j++) {
      const float e = x[k].exponent + b_exponents[k * n + j];
      top[j] = top[j] < e ? e : top[j];
    }
  for (int j = 0; j < n; j++) most = most < top[j] ? top[j] : most;
  if (most > kReach) return false;
  for (int j = 0; j < n; j++) {
    const int e = int(top[j] < -kReach ? -kReach : top[j]);
    scale[j] = float_of(unsigned(127 + bits - e) << 23);
    sum[0][j] = int(d[j] * scale[j]);
    sum[1][j] = 0;
  }
  for (int k = 0; k < depth; k++) {
    const float value = x[k].value;
    int* __restrict half = sum[k * 2 / depth];  // all of them might be too large for an int
    for (int j = 0; j < n; j++) half[j] += int(value * b[k * n + j] * scale[j]);
  }
  for (int j = 0; j < n; j++) d[j] = cut_off((double(sum[0][j]) + double(sum[1][j])) / double(scale[j]));
  return true;
}

}  // namespace

SIMT_FAST void multiply_add(const float* a, const float* b, float* d, int rows, int n, int depth, int bits,
                            int least) {
  static float b_exponents[kDepth * kColumns], top[kColumns];
  for (int i = 0; i < depth * n; i++) b_exponents[i] = exponent(b[i], float(least));
  for (int m = 0; m < rows; m++, d += n) {
    Factor x[kDepth];
    for (int k = 0; k < depth; k++) x[k] = {a[k * rows + m], exponent(a[k * rows + m], float(least))};
    if (add_row(x, b, b_exponents, d, top, n, depth, bits)) continue;
    for (int j = 0; j < n; j++) d[j] = add(d[j], a + m, rows, b + j, n, depth, bits, top[j]);
  }
}

}  // namespace simt
