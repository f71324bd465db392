// What every kernel file includes: the list of kernels, their declarations, and one table per level.
#pragma once

#include <cstdint>

#include "cpu/dense.hpp"
#include "cpu/parallel.hpp"
#include "error.hpp"
#include "topv/topv.h"

/// Kernels that are a whole operation of topv.h: X(stem, params). A new stem is one line here and one
/// cpu/<stem>.cpp.
#define TOPV_STEM_KERNELS(X)                    \
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

/// All kernels, those of dense.hpp included.
#define TOPV_KERNELS(X)              \
  X(gemv, GemvParams)                \
  X(pack_tiles, PackTilesParams)     \
  X(gemm_tiles, GemmTilesParams)     \
  X(gemv_tiles, GemmTilesParams)     \
  X(convert, ConvertParams)          \
  X(patch_rows, PatchRowsParams)     \
  X(patch_finish, PatchFinishParams) \
  TOPV_STEM_KERNELS(X)

namespace topv::cpu {

/// The kernels of one level.
struct Kernels {
#define TOPV_DECLARE(name, Params) void (*name)(Team&, const Params&);
  TOPV_KERNELS(TOPV_DECLARE)
#undef TOPV_DECLARE
};

#if defined(TOPV_ISA)
namespace TOPV_ISA {
#define TOPV_DECLARE(name, Params) void name(Team& team, const Params& params);
TOPV_KERNELS(TOPV_DECLARE)
#undef TOPV_DECLARE
}  // namespace TOPV_ISA
#endif

}  // namespace topv::cpu
