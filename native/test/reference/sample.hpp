// sample in double precision, by a full sort.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "topv/topv.h"

namespace reference {

/// Philox4x32-10 as its paper states it.
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t left = 0xD2511F53ull * counter[0], right = 0xCD9E8D57ull * counter[2];
    counter = {static_cast<uint32_t>(right >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(right),
               static_cast<uint32_t>(left >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(left)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// u of row b.
inline double uniform(const topv_sample_params& p, int64_t b) {
  const auto word = [&](const int32_t* words, int i) {
    return words == nullptr ? 0u : static_cast<uint32_t>(words[2 * b + i]);
  };
  const uint32_t first =
      philox({word(p.counter, 0), word(p.counter, 1), 0, 0}, {word(p.seed, 0), word(p.seed, 1)})[0];
  return (first + 0.5) * std::ldexp(1.0, -32);
}

/// The tokens that row b may draw, best first, and the part of [0, 1) that is each one's.
struct Distribution {
  std::vector<int32_t> tokens;
  std::vector<double> end;  // token i has [end[i - 1], end[i])

  int32_t at(double u) const {
    size_t i = 0;
    while (i + 1 < end.size() && end[i] <= u) ++i;
    return tokens[i];
  }
};

inline Distribution distribution(const topv_sample_params& p, int64_t b) {
  const float* logits = p.logits + b * p.ldl;
  std::vector<int32_t> order(static_cast<size_t>(p.vocab));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t x, int32_t y) { return logits[x] > logits[y]; });
  const double temperature = p.temperature == nullptr ? 0 : static_cast<double>(p.temperature[b]);
  if (temperature == 0) return {{order[0]}, {1}};
  const auto k = static_cast<size_t>(p.top_k == nullptr ? 0 : p.top_k[b]);
  if (k > 0 && k < order.size()) order.resize(k);
  const double best = static_cast<double>(logits[order[0]]);
  std::vector<double> weights;
  for (const int32_t token : order) {
    const double weight = std::exp((static_cast<double>(logits[token]) - best) / temperature);
    if (weight < (p.min_p == nullptr ? 0 : static_cast<double>(p.min_p[b]))) break;
    weights.push_back(weight);
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double reach = (p.top_p == nullptr ? 1 : static_cast<double>(p.top_p[b])) * sum;
  Distribution kept;
  double passed = 0;
  for (size_t i = 0; i < weights.size() && (i == 0 || passed < reach); ++i) {
    passed += weights[i];
    kept.tokens.push_back(order[i]);
    kept.end.push_back(passed);
  }
  for (double& end : kept.end) end /= passed;
  return kept;
}

inline double logprob(const float* logits, int64_t vocab, int32_t token) {
  const double best = static_cast<double>(*std::max_element(logits, logits + vocab));
  double sum = 0;
  for (int64_t i = 0; i < vocab; ++i) sum += std::exp(static_cast<double>(logits[i]) - best);
  return static_cast<double>(logits[token]) - best - std::log(sum);
}

}  // namespace reference
