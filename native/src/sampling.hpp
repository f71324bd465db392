// What topv_sample and topv_penalize mean, to the bit: the arithmetic that every backend shares. Only operations that IEEE 754 rounds in one
// way, and whole numbers, whose sums do not depend on their order.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define TOPV_ANYWHERE __host__ __device__ inline
#else
#define TOPV_ANYWHERE inline
#endif

namespace topv::sampling {

constexpr uint64_t kOne = uint64_t{1}
                          << 40;  ///< weight of the largest logit: the sum of 2^23 of them is below 2^64
constexpr float kLog2E = 1.44269504f;

/// Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3): the first word of a block.
TOPV_ANYWHERE uint32_t philox(uint32_t key0, uint32_t key1, uint32_t counter0, uint32_t counter1) {
  uint32_t c[4] = {counter0, counter1, 0, 0};
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * c[0], b = uint64_t{0xCD9E8D57u} * c[2];
    const uint32_t high_a = static_cast<uint32_t>(a >> 32), high_b = static_cast<uint32_t>(b >> 32);
    c[0] = high_b ^ c[1] ^ key0;
    c[1] = static_cast<uint32_t>(b);
    c[2] = high_a ^ c[3] ^ key1;
    c[3] = static_cast<uint32_t>(a);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c[0];
}

/// Whole numbers in the order of the logits: equal for equal ones, -0 and 0 among them.
TOPV_ANYWHERE uint32_t key_of(float logit) {
  uint32_t bits = 0;
  if (logit != 0) memcpy(&bits, &logit, 4);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}
TOPV_ANYWHERE float logit_of(uint32_t key) {
  const uint32_t bits = key >> 31 != 0 ? key & 0x7fffffffu : ~key;
  float logit;
  memcpy(&logit, &bits, 4);
  return logit;
}

/// exp(logit - largest) to the power of scale / log2(e), in units of 1 / kOne, rounded down; kOne for the largest, 0
/// where it is below one unit.
TOPV_ANYWHERE uint64_t weight_of(float logit, float largest, float scale) {
  if (logit == largest) return kOne;
#if defined(__CUDA_ARCH__)
  const float t = __fmul_rn(logit - largest, scale);  // not fused with the difference below
#else
  const float t = (logit - largest) * scale;
#endif
  if (!(t > -41.0f)) return 0;
  const float whole = rintf(t), f = t - whole;
  float power = 1.52527338e-5f;  // 2^f by its series, |f| <= 1/2: relative error below 1e-7
  power = fmaf(power, f, 1.54035304e-4f);
  power = fmaf(power, f, 1.33335581e-3f);
  power = fmaf(power, f, 9.61812911e-3f);
  power = fmaf(power, f, 5.55041087e-2f);
  power = fmaf(power, f, 2.40226507e-1f);
  power = fmaf(power, f, 6.93147181e-1f);
  power = fmaf(power, f, 1.0f);
  uint32_t bits;
  memcpy(&bits, &power, 4);
  const uint64_t fraction = (bits & 0x7fffffu) | 0x800000u;
  const int shift = static_cast<int>(bits >> 23) - 127 - 23 + 40 + static_cast<int>(whole);
  return shift >= 0 ? fraction << shift : shift > -24 ? fraction >> -shift : 0;
}

/// The scale of weight_of for a temperature above 0.
TOPV_ANYWHERE float scale_of(float temperature) { return kLog2E / temperature; }

/// Weights below this are cut.
TOPV_ANYWHERE uint64_t least_weight(float min_p) {
  return static_cast<uint64_t>(ceil(static_cast<double>(min_p) * static_cast<double>(kOne)));
}

/// The sum of weights that the nucleus reaches.
TOPV_ANYWHERE uint64_t nucleus(float top_p, uint64_t sum) {
  const auto reach = static_cast<uint64_t>(ceil(static_cast<double>(top_p) * static_cast<double>(sum)));
  return reach < 1 ? 1 : reach < sum ? reach : sum;
}

/// floor(u * kept), u = (word + 0.5) * 2^-32: the first token at which the sum of weights exceeds it is chosen.
TOPV_ANYWHERE uint64_t target_of(uint32_t word, uint64_t kept) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((2 * Wide{word} + 1) * kept >> 33);
}

/// A logit with the penalties of topv_penalize.
TOPV_ANYWHERE float penalized(float logit, int32_t times, float repetition, float presence, float frequency) {
#if defined(__CUDA_ARCH__)
  const float more = __fmul_rn(logit, repetition);  // not fused with the difference below
#else
  const float more = logit * repetition;
#endif
  const float repeated = logit > 0 ? logit / repetition : more;
  return times > 0 ? fmaf(-frequency, static_cast<float>(times), repeated - presence) : repeated;
}

/// log(weight / sum), where the weights have been summed at temperature 1.
TOPV_ANYWHERE float logprob_of(float logit, float largest, uint64_t sum) {
  const double difference =
      logit == largest ? 0.0 : static_cast<double>(logit) - static_cast<double>(largest);
  return static_cast<float>(difference - log(static_cast<double>(sum) / static_cast<double>(kOne)));
}

}  // namespace topv::sampling
