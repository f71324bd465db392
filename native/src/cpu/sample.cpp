// The next token of every row of logits, as sampling.hpp defines it: a heap gives the tokens in order, as many as the draw
// needs. Bound: the weights of V tokens.
#include "sampling.hpp"

#include <algorithm>

#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

/// The settings of one row.
struct Settings {
  Settings(const topv_sample_params& p, int64_t b)
      : temperature(p.temperature != nullptr ? p.temperature[b] : 0),
        top_p(p.top_p != nullptr ? p.top_p[b] : 1),
        min_p(p.min_p != nullptr ? p.min_p[b] : 0),
        top_k(p.top_k != nullptr ? p.top_k[b] : 0) {}
  float temperature, top_p, min_p;
  int32_t top_k;
};

void check(const topv_sample_params& p) {
  for (int64_t b = 0; b < p.batch; ++b) {
    const Settings s(p, b);
    const long long row = b;
    if (!(s.temperature >= 0) || std::isinf(s.temperature)) {
      fail(TOPV_INVALID_ARGUMENT, "sample: temperature[%lld] = %g is not finite and at least 0", row,
           static_cast<double>(s.temperature));
    }
    if (s.top_k < 0) fail(TOPV_INVALID_ARGUMENT, "sample: top_k[%lld] = %d is below 0", row, s.top_k);
    if (!(s.top_p > 0 && s.top_p <= 1)) {
      fail(TOPV_INVALID_ARGUMENT, "sample: top_p[%lld] = %g is not in (0, 1]", row,
           static_cast<double>(s.top_p));
    }
    if (!(s.min_p >= 0 && s.min_p <= 1)) {
      fail(TOPV_INVALID_ARGUMENT, "sample: min_p[%lld] = %g is not in [0, 1]", row,
           static_cast<double>(s.min_p));
    }
    for (int64_t i = 0; i < p.vocab; ++i) {
      if (std::isnan(p.logits[b * p.ldl + i])) {
        fail(TOPV_INVALID_ARGUMENT, "sample: logits[%lld, %lld] is NaN", row, static_cast<long long>(i));
      }
    }
  }
}

/// Tokens in the order of the contract: larger logits first, ties to the lower index.
uint64_t place_of(float logit, int64_t token) {
  return uint64_t{sampling::key_of(logit)} << 32 | (0xffffffffu - static_cast<uint32_t>(token));
}
int64_t token_at(uint64_t place) { return 0xffffffffu - static_cast<uint32_t>(place); }

/// The token that word draws; places [vocab] is working memory.
int64_t draw(const float* logits, int64_t vocab, float largest, const Settings& s, uint32_t word,
             uint64_t* places) {
  const float scale = sampling::scale_of(s.temperature);
  const uint64_t least = std::max<uint64_t>(sampling::least_weight(s.min_p), 1);
  const auto weight = [&](uint64_t place) {
    return sampling::weight_of(logits[token_at(place)], largest, scale);
  };
  int64_t count = 0;
  uint64_t sum = 0;
  for (int64_t i = 0; i < vocab; ++i) {
    const uint64_t w = sampling::weight_of(logits[i], largest, scale);
    if (w < least) continue;
    places[count++] = place_of(logits[i], i);
    sum += w;
  }
  std::make_heap(places, places + count);
  uint64_t* heap_end = places + count;  // beyond it are the tokens taken so far, the first one last
  const auto take = [&] {
    std::pop_heap(places, heap_end--);
    return weight(*heap_end);
  };

  if (s.top_k > 0 && s.top_k < count) {
    sum = 0;
    for (int32_t taken = 0; taken < s.top_k; ++taken) sum += take();
  }
  uint64_t kept = sum;
  uint64_t* next = places + count;  // walks down through the order
  const auto following = [&] {
    if (next == heap_end) take();
    return weight(*--next);
  };
  if (s.top_p < 1) {
    const uint64_t reach = sampling::nucleus(s.top_p, sum);
    for (kept = 0; kept < reach;) kept += following();
    next = places + count;
  }
  const uint64_t target = sampling::target_of(word, kept);
  for (uint64_t passed = following(); passed <= target;) passed += following();
  return token_at(*next);
}

}  // namespace

void sample(Team& team, const topv_sample_params& p) {
  check(p);
  uint64_t* scratch = p.temperature != nullptr ? team.scratch<uint64_t>(team.threads() * p.vocab) : nullptr;
  parallel_for(team, p.batch, 1, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t b = begin; b < end; ++b) {
      const float* logits = p.logits + b * p.ldl;
      const Settings settings(p, b);
      int64_t token = std::max_element(logits, logits + p.vocab) - logits;
      const float largest = logits[token];
      if (settings.temperature > 0) {
        const auto word = [&](const int32_t* words, int i) {
          return words != nullptr ? static_cast<uint32_t>(words[2 * b + i]) : 0;
        };
        token =
            draw(logits, p.vocab, largest, settings,
                 sampling::philox(word(p.seed, 0), word(p.seed, 1), word(p.counter, 0), word(p.counter, 1)),
                 scratch + thread * p.vocab);
      }
      p.tokens[b] = static_cast<int32_t>(token);
      if (p.logprob == nullptr) continue;
      uint64_t sum = 0;
      for (int64_t i = 0; i < p.vocab; ++i) {
        sum += sampling::weight_of(logits[i], largest, sampling::kLog2E);
      }
      p.logprob[b] = sampling::logprob_of(logits[token], largest, sum);
    }
  });
}

}  // namespace topv::cpu::TOPV_ISA
