// Data that is wrong in device memory (an id, a slot, a weight): a kernel finds it, skips it and leaves the first one
// here; the host reads it when it synchronizes, and says in words what the CPU backend would have said.
#pragma once

#include <cstdint>
#include <string>

#include "topv/topv.h"

namespace topv::cuda {

/// Everything that can be wrong: X(name, status, printf format over a, b, c and x of Fault).
#define TOPV_FAULTS(X)                                                                                       \
  X(embed_id, TOPV_INVALID_ARGUMENT, "embed: ids[%lld] = %lld is not in [0, vocab = %lld)", f.a, f.b, f.c)   \
  X(rope_position, TOPV_INVALID_ARGUMENT, "rope: positions[%lld] = %lld is not in [0, %lld)", f.a, f.b, f.c) \
  X(kv_append_slot, TOPV_INVALID_ARGUMENT, "kv_append: slots[%lld] = %lld is neither -1 nor in [0, %lld)",   \
    f.a, f.b, f.c)                                                                                           \
  X(rows_gather_index, TOPV_INVALID_ARGUMENT,                                                                \
    "rows_gather: index[%lld] = %lld is not in [0, src_rows = %lld)", f.a, f.b, f.c)                         \
  X(rope_append_position, TOPV_INVALID_ARGUMENT, "rope_append: positions[%lld] = %lld is not in [0, %lld)",  \
    f.a, f.b, f.c)                                                                                           \
  X(rope_append_slot, TOPV_INVALID_ARGUMENT,                                                                 \
    "rope_append: slots[%lld] = %lld is neither -1 nor in [0, %lld)", f.a, f.b, f.c)                         \
  X(penalize_repetition, TOPV_INVALID_ARGUMENT, "penalize: repetition[%lld] = %g is not finite and above 0", \
    f.a, f.x)                                                                                                \
  X(penalize_presence, TOPV_INVALID_ARGUMENT, "penalize: presence[%lld] = %g is not finite", f.a, f.x)       \
  X(penalize_frequency, TOPV_INVALID_ARGUMENT, "penalize: frequency[%lld] = %g is not finite", f.a, f.x)     \
  X(penalize_row, TOPV_INVALID_ARGUMENT, "penalize: rows[%lld] = %lld is not in [0, batch = %lld)", f.a,     \
    f.b, f.c)                                                                                                \
  X(penalize_id, TOPV_INVALID_ARGUMENT, "penalize: ids[%lld] = %lld is not in [0, vocab = %lld)", f.a, f.b,  \
    f.c)                                                                                                     \
  X(penalize_times, TOPV_INVALID_ARGUMENT, "penalize: times[%lld] = %lld is below 0", f.a, f.b)              \
  X(sample_temperature, TOPV_INVALID_ARGUMENT,                                                               \
    "sample: temperature[%lld] = %g is not finite and at least 0", f.a, f.x)                                 \
  X(sample_top_k, TOPV_INVALID_ARGUMENT, "sample: top_k[%lld] = %lld is below 0", f.a, f.b)                  \
  X(sample_top_p, TOPV_INVALID_ARGUMENT, "sample: top_p[%lld] = %g is not in (0, 1]", f.a, f.x)              \
  X(sample_min_p, TOPV_INVALID_ARGUMENT, "sample: min_p[%lld] = %g is not in [0, 1]", f.a, f.x)              \
  X(sample_logit, TOPV_INVALID_ARGUMENT, "sample: logits[%lld, %lld] is NaN", f.a, f.b)                      \
  X(kv_gather_source, TOPV_INVALID_ARGUMENT, "kv_gather: src_slots[%lld] = %lld is not in [0, %lld)", f.a,   \
    f.b, f.c)                                                                                                \
  X(kv_gather_destination, TOPV_INVALID_ARGUMENT, "kv_gather: dst_slots[%lld] = %lld is not in [0, %lld)",   \
    f.a, f.b, f.c)                                                                                           \
  X(attention_start, TOPV_INVALID_ARGUMENT, "%s: %s[0] = %lld, expected 0", attention_op(f),                 \
    attention_field(f), f.b)                                                                                 \
  X(attention_order, TOPV_INVALID_ARGUMENT, "%s: %s[%lld] = %lld is below %s[%lld] = %lld", attention_op(f), \
    attention_field(f), f.a >> 2, f.b, attention_field(f), (f.a >> 2) - 1, f.c)                              \
  X(attention_length, TOPV_INVALID_ARGUMENT,                                                                 \
    "%s: %s[%lld] = %lld makes a sequence of %lld, more than the maximum %.0f given", attention_op(f),       \
    attention_field(f), f.a >> 2, f.b, f.c, f.x)                                                             \
  X(attention_keys, TOPV_INVALID_ARGUMENT, "%s: seqlens_k[%lld] = %lld is not in [0, %lld]",                 \
    attention_op(f), f.a >> 2, f.b, f.c)                                                                     \
  X(attention_decode_query, TOPV_INVALID_ARGUMENT,                                                           \
    "attention_decode: cu_seqlens_q[%lld] = %lld, expected %lld: one query per sequence", f.a, f.b, f.a)     \
  X(flash_attn_cache_seqlens, TOPV_INVALID_ARGUMENT,                                                         \
    "flash_attn_with_kvcache: cache_seqlens[%lld] = %lld is not in [0, %lld]", f.a, f.b, f.c)                \
  X(flash_attn_cache_batch_idx, TOPV_INVALID_ARGUMENT,                                                       \
    "flash_attn_with_kvcache: cache_batch_idx[%lld] = %lld is not in [0, cache_batch = %lld)", f.a, f.b,     \
    f.c)                                                                                                     \
  X(flash_attn_rotary_seqlen, TOPV_INVALID_ARGUMENT,                                                         \
    "flash_attn_with_kvcache: position %lld is not below rotary_seqlen = %lld", f.a, f.b)                    \
  X(flash_attn_block_table, TOPV_INVALID_ARGUMENT,                                                           \
    "flash_attn_with_kvcache: block_table[%lld, %lld] = %lld is not in [0, %.0f)", f.a, f.b, f.c, f.x)       \
  X(attention_page, TOPV_INVALID_ARGUMENT, "%s: block_table[%lld, %lld] = %lld is not in [0, %.0f)",         \
    attention_op(f), f.a >> 2, f.b, f.c, f.x)                                                                \
  X(sinkhorn_source_weight, TOPV_INVALID_ARGUMENT,                                                           \
    "sinkhorn: source_weight of token %lld of image %lld = %g, expected a finite number >= 0", f.a, f.b,     \
    f.x)                                                                                                     \
  X(sinkhorn_target_weight, TOPV_INVALID_ARGUMENT,                                                           \
    "sinkhorn: target_weight of token %lld of image %lld = %g, expected a finite number >= 0", f.a, f.b,     \
    f.x)                                                                                                     \
  X(sinkhorn_source_zero, TOPV_INVALID_ARGUMENT, "sinkhorn: source_weight of image %lld is zero everywhere", \
    f.a)                                                                                                     \
  X(sinkhorn_target_zero, TOPV_INVALID_ARGUMENT, "sinkhorn: target_weight of image %lld is zero everywhere", \
    f.a)                                                                                                     \
  X(sinkhorn_cost, TOPV_INVALID_ARGUMENT, "sinkhorn: cost[%lld, %lld] of image %lld = %g is not finite",     \
    f.a, f.b, f.c, f.x)                                                                                      \
  X(sinkhorn_range, TOPV_UNSUPPORTED,                                                                        \
    "sinkhorn: the importance of image %lld leaves the range of float32 at epsilon = %g", f.a, f.x)          \
  X(transport_cost_row, TOPV_INVALID_ARGUMENT, "transport_cost: row_index[%lld] = %lld is not in [0, %lld)", \
    f.a, f.b, f.c)

enum class FaultKind : int32_t {
  none,
#define TOPV_FAULT_NAME(name, ...) name,
  TOPV_FAULTS(TOPV_FAULT_NAME)
#undef TOPV_FAULT_NAME
};

/// In device memory, one per stream; all zero when nothing is wrong.
struct Fault {
  FaultKind kind;
  int32_t reserved;
  long long a, b, c;
  double x;
};

/// Status and words of a fault that has been copied to the host.
topv_status describe(const Fault& fault, std::string& words);

}  // namespace topv::cuda
