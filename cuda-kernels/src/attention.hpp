// Attention beyond topv.h: what the FlashAttention preset asks for.
#pragma once

#include "run.hpp"
#include "topv/topv.h"

namespace topv::cuda {

/// A query sees a window of keys round its own position, which is i + lk - lq for query i of lq. Scores may be capped:
/// scale * q k becomes softcap * tanh(scale * q k / softcap).
struct AttentionParams : topv_attention_params {
  static constexpr int32_t kAll = INT32_MAX;

  AttentionParams(const topv_attention_params& p)
      : topv_attention_params(p), window_right(p.causal != 0 ? 0 : kAll) {}

  int32_t window_left = kAll;  ///< keys seen before the query's own
  int32_t window_right;        ///< and after it: 0 is a causal mask
  float softcap = 0;           ///< 0: no cap
};

/// attention_prefill with a window and a cap. `causal` is not read any more.
void attention_forward(const Run& run, const AttentionParams& params);
/// attention_decode likewise.
void attention_decode(const Run& run, const AttentionParams& params);

}  // namespace topv::cuda
