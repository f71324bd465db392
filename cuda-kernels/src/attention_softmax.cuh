// Online softmax of scores that lie as the accumulators of a tensor core product do.
//
// Lane l of a warp, g = l / 4, t = l % 4: element 4 j + i of a 16-row tile is row g + 8 (i / 2), column 8 j + 2 t + i % 2
// (mma.cuh; a warp of a warpgroup has the same). A lane so has two rows, and each row is spread over four lanes.
//
// The reference maximum of a row moves only when it would grow by more than 2^kSlack: a power of two below that costs no
// precision, and the sums so far seldom have to be rescaled.
#pragma once

#include "attention.cuh"

namespace topv::cuda {

struct Softmax {
  static constexpr float kSlack = 8.0f;
  static constexpr float kLowest = -1e30f;  // before the first key; -inf would make NaN of its own difference

  float reference[2] = {kLowest, kLowest};  ///< of the scores as they are, before `factor`
  float sum[2] = {0, 0};                    ///< this lane's part

  /// Whether the reference maxima of the warp's rows move; if so, sums so far are to be multiplied by rescale.
  template <int N>
  __device__ __forceinline__ bool raise(const float (&scores)[N], float factor, float (&rescale)[2]) {
    float top[2] = {reference[0], reference[1]};
#pragma unroll
    for (int i = 0; i < N; ++i) top[i % 4 / 2] = fmaxf(top[i % 4 / 2], scores[i]);
    const bool excess =
        (top[0] - reference[0]) * factor > kSlack || (top[1] - reference[1]) * factor > kSlack;
    if (!__any_sync(~0u, excess)) return false;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      top[h] = fmaxf(top[h], __shfl_xor_sync(~0u, top[h], 1));
      top[h] = fmaxf(top[h], __shfl_xor_sync(~0u, top[h], 2));
      rescale[h] = ptx::ex2((reference[h] - top[h]) * factor);
      reference[h] = top[h];
      sum[h] *= rescale[h];
    }
    return true;
  }

  /// scores = 2^(factor * (scores - reference)).
  template <int N>
  __device__ __forceinline__ void weigh(float (&scores)[N], float factor) {
    const float shift[2] = {-reference[0] * factor, -reference[1] * factor};
#pragma unroll
    for (int i = 0; i < N; ++i) {
      scores[i] = ptx::ex2(fmaf(scores[i], factor, shift[i % 4 / 2]));
      sum[i % 4 / 2] += scores[i];
    }
  }

  /// The sums of whole rows.
  __device__ __forceinline__ void finish() {
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      sum[h] += __shfl_xor_sync(~0u, sum[h], 1);
      sum[h] += __shfl_xor_sync(~0u, sum[h], 2);
    }
  }
  /// Zero for a row that saw no key.
  __device__ __forceinline__ float inverse(int h) const { return sum[h] > 0 ? 1.0f / sum[h] : 0.0f; }
  /// -inf for a row that saw no key.
  __device__ __forceinline__ float lse(int h, float factor) const {
    return sum[h] > 0 ? (reference[h] * factor + ptx::lg2(sum[h])) * 0.69314718f : -INFINITY;
  }
};

/// What scores are multiplied by to be exponents of two, after cap().
__device__ __forceinline__ float score_factor(const Attention& p) {
  return (p.softcap > 0 ? p.softcap : p.scale) * 1.44269504f;
}

/// score = tanh(scale * score / softcap).
template <int N>
__device__ __forceinline__ void cap(const Attention& p, float (&scores)[N]) {
  const float twice = 2 * 1.44269504f * p.scale / p.softcap;  // tanh x = 1 - 2 / (e^2x + 1)
#pragma unroll
  for (int i = 0; i < N; ++i) scores[i] = 1.0f - __fdividef(2.0f, ptx::ex2(scores[i] * twice) + 1.0f);
}

/// Scores that query `row` (and row + 8) does not see become -inf; first: key of column 0.
template <int N>
__device__ __forceinline__ void mask(const Window& window, int row, int first, float (&scores)[N]) {
  const int column = first + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const Visible seen = window.of(row + 8 * h);
    const int begin = seen.begin - column, end = seen.end - column;
#pragma unroll
    for (int i = 2 * h; i < N; i += 4) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const int key = i / 4 * 8 + e;
        if (key < begin || key >= end) scores[i + e] = -INFINITY;
      }
    }
  }
}

}  // namespace topv::cuda
