// Per image: the top[m] tokens of largest importance (ties to the lower index), and every recover_every-th of the
// others; ascending.
//
// Importances become integers of the same order; the top[m]-th largest of them is found bit by bit, one count over the
// block per bit. Token i is then kept or not by two counts over the tokens before it: those above that threshold, and
// those equal to it. Where it goes follows from the same two counts, so one scan suffices. Integers only: exact.
// Grid: images. Bound: the latency of 33 counts, about 1 us for N up to 4,096, of which a thread holds its keys in
// registers; of a larger image, any that the contract allows, it reads those beyond again for every count.
#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {
namespace {

constexpr int kThreads = 512, kWarps = kThreads / 32;
constexpr int kHeld = 8;      // keys per thread in registers
constexpr int kImages = 128;  // per launch

struct Image {
  int64_t token, kept;  // where it begins in importance and in the result
  uint32_t tokens, top;
};

struct Selection {
  const float* importance;
  int32_t* kept;
  uint32_t recover_every;
  Image image[kImages];
};

/// Unsigned integers in the order of the floats, NaN as -inf, -0 as 0; never 0.
__device__ __forceinline__ uint32_t order_key(float x) {
  const uint32_t bits = __float_as_uint(x != x ? -INFINITY : x + 0.0f);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/// Sums over the warps of a block, one barrier each: two rows of shared memory take turns.
struct Turns {
  uint32_t (*rows)[kWarps];
  int turn = 0;

  /// Publishes the warp's own value; before: the sum over the warps before this one; returns the sum over all.
  __device__ __forceinline__ uint32_t sum(uint32_t own, uint32_t& before) {
    const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
    uint32_t* row = rows[turn ^= 1];
    if (lane == 0) row[warp] = own;
    __syncthreads();
    const uint32_t other = lane < kWarps ? row[lane] : 0;
    before = __reduce_add_sync(~0u, lane < warp ? other : 0);
    return __reduce_add_sync(~0u, other);
  }
};

__global__ void __launch_bounds__(kThreads) token_select_kernel(const __grid_constant__ Selection s) {
  TOPV_SHARED(uint32_t, rows, [2][kWarps]);
  const Image image = s.image[blockIdx.x];
  const float* importance = s.importance + image.token;
  const uint32_t n = image.tokens, tid = threadIdx.x,
                 lane = tid % 32;  // unsigned: n + kThreads may pass 2^31
  Turns turns{rows};

  uint32_t held[kHeld];
#pragma unroll
  for (int k = 0; k < kHeld; ++k)
    held[k] = k * kThreads + tid < n ? order_key(importance[k * kThreads + tid]) : 0;

  /// How many tokens have a key >= least > 0.
  const auto count = [&](uint32_t least) {
    uint32_t own = 0, before;
#pragma unroll
    for (int k = 0; k < kHeld; ++k) own += held[k] >= least;
    for (uint32_t i = kHeld * kThreads + tid; i < n; i += kThreads) own += order_key(importance[i]) >= least;
    return turns.sum(__reduce_add_sync(~0u, own), before);
  };

  uint32_t threshold = 0;  // the largest that at least top tokens reach
  for (int bit = 31; bit >= 0; --bit) {
    const uint32_t candidate = threshold | 1u << bit;
    if (count(candidate) >= image.top) threshold = candidate;
  }
  // Of the tokens equal to the threshold, so many are in the top. No key is 2^32 - 1, which top = 0 leads to.
  const uint32_t equals = threshold == ~0u ? 0 : image.top - count(threshold + 1);

  int32_t* kept = s.kept + image.kept;
  uint32_t above_before = 0, equal_before = 0;  // among the tokens of the rounds before this one
  for (uint32_t first = 0; first < n; first += kThreads) {
    const uint32_t i = first + tid;
    const uint32_t key = i < n ? order_key(importance[i]) : 0;
    const uint32_t above = __ballot_sync(~0u, key > threshold), equal = __ballot_sync(~0u, key == threshold);
    uint32_t before;  // above in the lower half, equal in the upper
    const uint32_t all = turns.sum(uint32_t(__popc(above)) | uint32_t(__popc(equal)) << 16, before);
    const uint32_t lower = (1u << lane) - 1;
    const uint32_t a = above_before + (before & 0xffff) + uint32_t(__popc(above & lower));
    const uint32_t e = equal_before + (before >> 16) + uint32_t(__popc(equal & lower));
    const uint32_t others = i - a - min(e, equals);  // before token i
    const bool in_top = key > threshold || (key == threshold && e < equals);
    const uint32_t every = s.recover_every;
    const uint32_t recovered = every > 0 ? others / every + (others % every != 0) : 0;
    if (i < n && (in_top || (every > 0 && others % every == 0))) kept[i - others + recovered] = int32_t(i);
    above_before += all & 0xffff;
    equal_before += all >> 16;
  }
}

}  // namespace

void token_select(const Run& run, const topv_token_select_params& p) {
  Selection selection = {};
  selection.importance = p.importance;
  selection.kept = p.kept;
  selection.recover_every = uint32_t(p.recover_every);
  int64_t token = 0, kept = 0;
  int count = 0;
  for (int m = 0; m < p.images; ++m) {
    const int64_t n = p.tokens[m], top = p.top[m];
    selection.image[count++] = {token, kept, uint32_t(n), uint32_t(top)};
    token += n;
    kept += top + (p.recover_every > 0 ? ceil_div(n - top, p.recover_every) : 0);
    if (count == kImages || m == p.images - 1) {
      launch(run, {dim3(unsigned(count)), dim3(kThreads)}, token_select_kernel, selection);
      count = 0;
    }
  }
}

}  // namespace topv::cuda
