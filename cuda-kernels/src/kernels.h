// Table of contents: the launcher of every stem, in src/<stem>.cu. A launcher queues work on run.stream and returns.
// Params were validated by libtopv.so; what lies in device memory is checked by the kernels (fault.hpp). gemm and
// patch_embed need the library of matrix products and are in gemm.hpp.
#pragma once

#include "run.hpp"
#include "topv/backend.hpp"

namespace topv::cuda {

#define TOPV_CUDA_STEMS(X)                      \
  X(rms_norm, topv_rms_norm_params)             \
  X(layer_norm, topv_layer_norm_params)         \
  X(silu_mul, topv_silu_mul_params)             \
  X(gelu, topv_gelu_params)                     \
  X(rope, topv_rope_params)                     \
  X(embed, topv_embed_params)                   \
  X(rows_gather, topv_rows_gather_params)       \
  X(kv_append, topv_kv_append_params)           \
  X(rope_append, topv_rope_append_params)       \
  X(kv_gather, topv_kv_gather_params)           \
  X(attention_prefill, topv_attention_params)   \
  X(attention_decode, topv_attention_params)    \
  X(sample, topv_sample_params)                 \
  X(transport_cost, topv_transport_cost_params) \
  X(sinkhorn, topv_sinkhorn_params)             \
  X(token_select, topv_token_select_params)

#define TOPV_DECLARE_LAUNCHER(name, Params) void name(const Run& run, const Params& params);
TOPV_CUDA_STEMS(TOPV_DECLARE_LAUNCHER)
#undef TOPV_DECLARE_LAUNCHER

}  // namespace topv::cuda
