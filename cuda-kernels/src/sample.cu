// The next token of every row of logits, as native/src/sampling.hpp defines it.
//
// Grid: one block of 1024 threads per row. The row is read twice: for its largest logit, and for the sums of its weights,
// in all and down to three thresholds. With the logits of a language model the token to be drawn is among the few (at most
// 2048) above one of these: they are collected in shared memory (a third pass), sorted and summed up, and each cut is a
// binary search. From a flatter row each cut, and the token, is found by search(): 16 passes over the row, two bits of a
// logit in each. So a row is read 54 times at most, however flat it is and however many of its logits are equal. Sums are
// whole numbers and come out the same in any order.
// Bound: the arithmetic of one multiprocessor, about 45 instructions per token in the second pass, and 10 to 50 in
// those of search(), the more the fewer keys differ.
#include "sampling.hpp"

#include <limits>

#include "common/reduce.cuh"
#include "common/report.cuh"
#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {
namespace {

constexpr int kThreads = 1024;
constexpr int kCandidates = 2048;  // two per thread

/// The settings of one row.
struct Settings {
  float temperature, top_p, min_p;
  int32_t top_k;

  __device__ Settings(const topv_sample_params& p, int64_t b)
      : temperature(p.temperature != nullptr ? p.temperature[b] : 0),
        top_p(p.top_p != nullptr ? p.top_p[b] : 1),
        min_p(p.min_p != nullptr ? p.min_p[b] : 0),
        top_k(p.top_k != nullptr ? p.top_k[b] : 0) {}

  /// False, and reported, where one is outside its range.
  __device__ bool valid(int64_t b, Fault* fault) const {
    const auto refuse = [&](FaultKind kind, double x, long long whole) {
      if (threadIdx.x == 0) report(fault, kind, b, whole, 0, x);
      return false;
    };
    if (!(temperature >= 0 && temperature <= std::numeric_limits<float>::max()))
      return refuse(FaultKind::sample_temperature, temperature, 0);
    if (top_k < 0) return refuse(FaultKind::sample_top_k, 0, top_k);
    if (!(top_p > 0 && top_p <= 1)) return refuse(FaultKind::sample_top_p, top_p, 0);
    if (!(min_p >= 0 && min_p <= 1)) return refuse(FaultKind::sample_min_p, min_p, 0);
    return true;
  }
};

/// One row of logits, and how its tokens are weighed.
struct Row {
  const float* logits;
  int64_t vocab;
  float largest, scale;
  uint64_t least;  // weights below it are cut

  __device__ __forceinline__ uint64_t weight(float logit) const {
    const uint64_t w = sampling::weight_of(logit, largest, scale);
    return w < least ? 0 : w;
  }
};

/// Whole numbers in the order of the contract: the larger logit, then the lower token. None is 0.
__device__ __forceinline__ uint64_t place_of(float logit, int64_t token) {
  return uint64_t{sampling::key_of(logit)} << 32 | (0xffffffffu - static_cast<uint32_t>(token));
}
__device__ __forceinline__ int32_t token_at(uint64_t place) {
  return static_cast<int32_t>(0xffffffffu - static_cast<uint32_t>(place));
}

/// The token of the largest logit, of equal ones the first; -1, and reported, where a logit is NaN.
__device__ int32_t find_largest(const float* logits, int64_t vocab, int64_t b, Fault* fault) {
  uint64_t best[1] = {};
  bool wrong = false;
#pragma unroll 4
  for (int64_t i = threadIdx.x; i < vocab; i += kThreads) {
    const float logit = logits[i];
    if (logit != logit) {
      report(fault, FaultKind::sample_logit, b, i);
      wrong = true;
    }
    best[0] = Largest()(best[0], place_of(logit, i));
  }
  block_reduce<kThreads, Largest>(best);
  return __syncthreads_or(wrong) ? -1 : token_at(best[0]);
}

/// What the second pass finds out about a row. Tokens whose weight is cut do not count.
struct Totals {
  static constexpr int kLevels = 3;
  uint64_t weight, tokens;
  uint64_t weight_above[kLevels], tokens_above[kLevels];  // down to a level below the largest logit

  /// Weights of 2^-6, 2^-12 and 2^-20, as logits. Where a temperature has no such logits, all or none are above.
  static __device__ __forceinline__ float floor_of(int level, float largest, float temperature) {
    const float powers = level == 0 ? 6.0f : level == 1 ? 12.0f : 20.0f;
    return fmaf(-powers, 0.69314718f * fminf(temperature, 1e30f), largest);  // the same bits wherever inlined
  }
};

__device__ Totals total(const Row& row, float temperature) {
  uint64_t sums[2 + 2 * Totals::kLevels] = {};
#pragma unroll 2
  for (int64_t i = threadIdx.x; i < row.vocab; i += kThreads) {
    const float logit = row.logits[i];
    const uint64_t w = row.weight(logit);
    const int one = w > 0;
    sums[0] += w;
    sums[1] += one;
#pragma unroll
    for (int level = 0; level < Totals::kLevels; ++level) {
      if (logit >= Totals::floor_of(level, row.largest, temperature)) {
        sums[2 + 2 * level] += w;
        sums[3 + 2 * level] += one;
      }
    }
  }
  block_reduce<kThreads, Sum>(sums);
  return {sums[0], sums[1], {sums[2], sums[4], sums[6]}, {sums[3], sums[5], sums[7]}};
}

/// The candidates of a row, best first, and the sum of the weights down to each.
struct Candidates {
  uint64_t* place;  // [kCandidates] shared memory
  uint64_t* sum;    // [kCandidates] shared memory
  int count;

  /// The first whose sum is at least reach.
  __device__ int first_to_reach(uint64_t reach) const {
    int low = 0, high = count - 1;
    while (low < high) {
      const int middle = (low + high) / 2;
      if (sum[middle] >= reach) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
};

/// By a bitonic network; n is a power of 2.
__device__ void sort_descending(uint64_t* x, int n) {
  for (int block = 2; block <= n; block *= 2) {
    for (int distance = block / 2; distance > 0; distance /= 2) {
      for (int t = threadIdx.x; t < n / 2; t += kThreads) {
        const int low = 2 * t - (t & (distance - 1)), high = low + distance;
        const uint64_t a = x[low], b = x[high];
        if ((a < b) == ((low & block) == 0)) {
          x[low] = b;
          x[high] = a;
        }
      }
      __syncthreads();
    }
  }
}

/// Sums of x[0 .. i] for the two elements of every thread.
__device__ void add_up(uint64_t (&x)[2]) {
  TOPV_SHARED(uint64_t, warps, [kThreads / 32]);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const auto scan = [lane](uint64_t own) {
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
      const uint64_t other = __shfl_up_sync(~0u, own, distance);
      if (lane >= distance) own += other;
    }
    return own;
  };
  const uint64_t both = scan(x[0] + x[1]);
  if (lane == 31) warps[warp] = both;
  __syncthreads();
  const uint64_t through = scan(warps[lane]);
  const uint64_t before = __shfl_sync(~0u, through, warp > 0 ? warp - 1 : 0);
  const uint64_t end = both + (warp > 0 ? before : 0);
  x[0] = end - x[1];
  x[1] = end;
}

/// Collects the count tokens with logits of at least floor (and a weight), sorts them and adds their weights up.
__device__ Candidates collect(const Row& row, float floor, int count) {
  TOPV_SHARED(uint64_t, place, [kCandidates]);
  TOPV_SHARED(uint64_t, sum, [kCandidates]);
  TOPV_SHARED(int, used, [1]);
  const Candidates all = {&place[0], &sum[0], count};
  for (int i = threadIdx.x; i < kCandidates; i += kThreads) place[i] = 0;  // behind every token
  if (threadIdx.x == 0) used[0] = 0;
  __syncthreads();
  for (int64_t i = threadIdx.x; i < row.vocab; i += kThreads) {
    const float logit = row.logits[i];
    if (logit >= floor && row.weight(logit) > 0) {
      place[atomicAdd(&used[0], 1)] = place_of(logit, i);
    }
  }
  __syncthreads();
  int padded = 1;
  while (padded < count) padded *= 2;
  sort_descending(&place[0], padded);
  uint64_t sums[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const uint64_t at = place[2 * threadIdx.x + i];
    sums[i] = at == 0 ? 0 : row.weight(sampling::logit_of(static_cast<uint32_t>(at >> 32)));
  }
  add_up(sums);
#pragma unroll
  for (int i = 0; i < 2; ++i) sum[2 * threadIdx.x + i] = sums[i];
  __syncthreads();
  return all;
}

__device__ int32_t draw(const Candidates& all, const Settings& settings, uint64_t total, uint32_t word) {
  const uint64_t left =
      settings.top_k > 0 && settings.top_k <= all.count ? all.sum[settings.top_k - 1] : total;
  uint64_t kept = left;
  if (settings.top_p < 1) kept = all.sum[all.first_to_reach(sampling::nucleus(settings.top_p, left))];
  return token_at(all.place[all.first_to_reach(sampling::target_of(word, kept) + 1)]);
}

/// The largest key at which the sum of the measures of the tokens with this key or a larger one exceeds target; above: that
/// sum without the key itself. measure(logit) is a token's. The sum over all tokens must exceed target.
template <typename Measure>
__device__ uint32_t search(const Row& row, uint64_t target, uint64_t& above, const Measure& measure) {
  uint32_t found = 0;  // its upper bits
  above = 0;
  for (int shift = 30; shift >= 0; shift -= 2) {
    uint64_t sums[3] = {};  // of the keys that go on with 1, 2 and 3, and larger ones
#pragma unroll 4
    for (int64_t i = threadIdx.x; i < row.vocab; i += kThreads) {
      const float logit = row.logits[i];
      const uint32_t digit = (sampling::key_of(logit) ^ found) >> shift;
      if (digit == 0 || digit > 3) continue;  // not of this found; above has the larger ones
      const uint64_t one = measure(logit);
#pragma unroll
      for (uint32_t d = 1; d <= 3; ++d) {
        if (digit >= d) sums[d - 1] += one;
      }
    }
    block_reduce<kThreads, Sum>(sums);
    uint32_t digit = 0;
    uint64_t larger = sums[0];
#pragma unroll
    for (uint32_t d = 1; d <= 3; ++d) {
      if (above + sums[d - 1] <= target) continue;
      digit = d;
      larger = d < 3 ? sums[d] : 0;
    }
    above += larger;
    found |= digit << shift;
  }
  return found;
}

/// The token of the n-th logit, from 0, that equals this one.
__device__ int32_t find_equal(const Row& row, float logit, uint32_t n) {
  constexpr int kWarps = kThreads / 32;
  TOPV_SHARED(uint32_t, equals, [kWarps]);
  TOPV_SHARED(int32_t, token, [1]);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t part = (row.vocab + kWarps - 1) / kWarps, begin = warp * part;  // a part of the row per warp
  const int64_t end = begin + part < row.vocab ? begin + part : row.vocab;
  const auto is_equal = [&](int64_t i) { return i < end && row.logits[i] == logit; };
  uint32_t own = 0;
#pragma unroll 4
  for (int64_t i = begin + lane; i < end; i += 32) own += is_equal(i);
  own = __reduce_add_sync(~0u, own);
  if (lane == 0) equals[warp] = own;
  __syncthreads();
  const uint32_t before = __reduce_add_sync(~0u, lane < warp ? equals[lane] : 0);
  if (n >= before && n - before < own) {
    uint32_t left = n - before;
    for (int64_t first = begin;; first += 32) {
      const bool equal = is_equal(first + lane);
      const uint32_t all = __ballot_sync(~0u, equal), count = static_cast<uint32_t>(__popc(all));
      if (left < count) {
        if (equal && static_cast<uint32_t>(__popc(all & ((1u << lane) - 1))) == left)
          token[0] = static_cast<int32_t>(first + lane);
        break;
      }
      left -= count;
    }
  }
  __syncthreads();
  return token[0];
}

/// The same draw without candidates.
__device__ int32_t draw(const Row& row, const Settings& settings, const Totals& totals, uint32_t word) {
  uint64_t above = 0;
  const auto by_weight = [&](float logit) { return row.weight(logit); };
  uint64_t left = totals.weight;
  const auto most = static_cast<uint64_t>(settings.top_k);
  if (most > 0 && most < totals.tokens) {  // down to the last of the top_k
    const uint32_t last =
        search(row, most - 1, above, [&](float logit) { return uint64_t{row.weight(logit) > 0}; });
    uint64_t larger = 0;
    for (int64_t i = threadIdx.x; i < row.vocab; i += kThreads) {
      if (sampling::key_of(row.logits[i]) > last) larger += row.weight(row.logits[i]);
    }
    left = block_sum<kThreads>(larger) + (most - above) * row.weight(sampling::logit_of(last));
  }
  uint64_t kept = left;
  if (settings.top_p < 1) {  // down to the token that reaches the nucleus
    const uint64_t reach = sampling::nucleus(settings.top_p, left);
    const uint32_t last = search(row, reach - 1, above, by_weight);
    const uint64_t one = row.weight(sampling::logit_of(last));
    kept = above + (reach - above + one - 1) / one * one;
  }
  const uint64_t target = sampling::target_of(word, kept);
  const float logit = sampling::logit_of(search(row, target, above, by_weight));
  // Of the tokens with this logit, in the order of their index, the one at which the sum gets there.
  return find_equal(row, logit, static_cast<uint32_t>((target - above) / row.weight(logit)));
}

/// The token that word draws.
__device__ int32_t draw(const Row& row, const Settings& settings, uint32_t word) {
  const Totals totals = total(row, settings.temperature);
  const auto most = static_cast<uint64_t>(settings.top_k);
  const bool few = most > 0 && most < totals.tokens;
  const uint64_t reach = settings.top_p < 1 ? sampling::nucleus(settings.top_p, totals.weight)
                                            : sampling::target_of(word, totals.weight) + 1;
  uint64_t count = kCandidates + 1;
  float floor = 0;
#pragma unroll
  for (int level = Totals::kLevels - 1; level >= 0; --level) {  // the first that is deep enough
    if (few ? totals.tokens_above[level] >= most : totals.weight_above[level] >= reach) {
      count = totals.tokens_above[level];
      floor = Totals::floor_of(level, row.largest, settings.temperature);
    }
  }
  if (count > kCandidates) return draw(row, settings, totals, word);
  return draw(collect(row, floor, static_cast<int>(count)), settings, totals.weight, word);
}

__global__ void __launch_bounds__(kThreads) sample_kernel(topv_sample_params p, Fault* fault) {
  const int64_t b = blockIdx.x;
  const Settings settings(p, b);
  if (!settings.valid(b, fault)) return;
  Row row = {p.logits + b * p.ldl, p.vocab, 0, 0, 1};
  int32_t token = find_largest(row.logits, row.vocab, b, fault);
  if (token < 0) return;
  row.largest = row.logits[token];
  if (settings.temperature > 0) {
    const auto word = [&](const int32_t* words, int i) {
      return words != nullptr ? static_cast<uint32_t>(words[2 * b + i]) : 0u;
    };
    row.scale = sampling::scale_of(settings.temperature);
    const uint64_t least = sampling::least_weight(settings.min_p);
    row.least = least > 1 ? least : 1;
    const uint32_t drawn =
        sampling::philox(word(p.seed, 0), word(p.seed, 1), word(p.counter, 0), word(p.counter, 1));
    token = draw(row, settings, drawn);
  }
  if (threadIdx.x == 0) p.tokens[b] = token;
  if (p.logprob == nullptr) return;
  uint64_t sum = 0;
  for (int64_t i = threadIdx.x; i < p.vocab; i += kThreads) {
    sum += sampling::weight_of(row.logits[i], row.largest, sampling::kLog2E);
  }
  sum = block_sum<kThreads>(sum);
  if (threadIdx.x == 0) p.logprob[b] = sampling::logprob_of(row.logits[token], row.largest, sum);
}

}  // namespace

void sample(const Run& run, const topv_sample_params& p) {
  launch(run, {dim3(static_cast<unsigned>(p.batch)), dim3(kThreads)}, sample_kernel, p, run.fault);
}

}  // namespace topv::cuda
