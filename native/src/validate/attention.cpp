// KV cache and attention.
#include <string>

#include "validate/check.hpp"

namespace topv {
namespace {

/// Elements of one token in a cache.
int64_t row_of(const Check& check, int32_t kv_heads, int32_t head_dim) {
  check.at_least("kv_heads", kv_heads, 1);
  check.at_least("head_dim", head_dim, 1);
  return int64_t{kv_heads} * head_dim;
}

void paged(const Check& check, const topv_attention_params& p, int64_t row) {
  check.null("cu_seqlens_k", p.cu_seqlens_k, "block_table is too");
  check.pointer("seqlens_k", p.seqlens_k, p.batch == 0);
  check.at_least("page_size", p.page_size, 1);
  check.at_least("max_pages", p.max_pages, 0);
  check.at_least("page_count", p.page_count, 0);
  check.extent("k", check.extent("k", p.page_count, p.page_size), row);
  check.extent("block_table", p.batch, p.max_pages);
}

void contiguous(const Check& check, const topv_attention_params& p, int64_t row) {
  check.null("seqlens_k", p.seqlens_k, "block_table is not");
  check.pointer("cu_seqlens_k", p.cu_seqlens_k, p.batch == 0);
  check.at_least("ldk", p.ldk, "kv_heads * head_dim", row);
  check.at_least("ldv", p.ldv, "kv_heads * head_dim", row);
}

void attention(const Check& check, const topv_attention_params& p) {
  check.at_least("batch", p.batch, 0);
  check.at_least("max_seqlen_q", p.max_seqlen_q, 0);
  check.at_least("max_seqlen_k", p.max_seqlen_k, 0);
  check.at_least("q_heads", p.q_heads, 1);
  const int64_t row = row_of(check, p.kv_heads, p.head_dim);
  check.multiple("q_heads", p.q_heads, "kv_heads", p.kv_heads);
  check.range("head_dim", p.head_dim, 8, 256);
  check.multiple("head_dim", p.head_dim, "", 8);
  check.flag("causal", p.causal);
  check.finite("scale", p.scale);
  check.stored_dtype("dtype", p.dtype);
  const int64_t query_row = int64_t{p.q_heads} * p.head_dim;
  check.at_least("ldq", p.ldq, "q_heads * head_dim", query_row);
  check.at_least("ldo", p.ldo, "q_heads * head_dim", query_row);
  if (p.block_table != nullptr) {
    paged(check, p, row);
  } else {
    contiguous(check, p, row);
  }
  const bool no_queries = p.batch == 0 || p.max_seqlen_q == 0;
  const bool no_keys = p.batch == 0 || p.max_seqlen_k == 0;
  check.pointer("cu_seqlens_q", p.cu_seqlens_q, p.batch == 0);
  check.pointer("q", p.q, no_queries);
  check.pointer("out", p.out, no_queries);
  check.pointer("k", p.k, no_keys);
  check.pointer("v", p.v, no_keys);
}

}  // namespace

void validate_attention_prefill(const topv_attention_params& p) { attention(Check("attention_prefill"), p); }

void validate_attention_decode(const topv_attention_params& p) { attention(Check("attention_decode"), p); }

void validate_kv_append(const topv_kv_append_params& p) {
  const Check check("kv_append");
  check.at_least("tokens", p.tokens, 0);
  check.at_least("cache_slots", p.cache_slots, 0);
  const int64_t row = row_of(check, p.kv_heads, p.head_dim);
  check.dtype("dtype", p.dtype);
  check.at_least("ldk", p.ldk, "kv_heads * head_dim", row);
  check.at_least("ldv", p.ldv, "kv_heads * head_dim", row);
  check.extent("k", p.tokens, p.ldk);
  check.extent("v", p.tokens, p.ldv);
  check.extent("k_cache", p.cache_slots, row);
  check.pointer("slots", p.slots, p.tokens == 0);
  check.pointer("k", p.k, p.tokens == 0);
  check.pointer("v", p.v, p.tokens == 0);
  check.pointer("k_cache", p.k_cache, p.tokens == 0 || p.cache_slots == 0);
  check.pointer("v_cache", p.v_cache, p.tokens == 0 || p.cache_slots == 0);
}

void validate_rope_append(const topv_rope_append_params& p) {
  const Check check("rope_append");
  check.at_least("tokens", p.tokens, 0);
  check.at_least("max_positions", p.max_positions, 1);
  check.at_least("cache_slots", p.cache_slots, 0);
  check.at_least("q_heads", p.q_heads, 1);
  const int64_t row = row_of(check, p.kv_heads, p.head_dim);
  check.at_least("head_dim", p.head_dim, 8);
  check.multiple("head_dim", p.head_dim, "", 8);
  check.dtype("dtype", p.dtype);
  check.at_least("ldq", p.ldq, "q_heads * head_dim", int64_t{p.q_heads} * p.head_dim);
  check.at_least("ldk", p.ldk, "kv_heads * head_dim", row);
  check.at_least("ldv", p.ldv, "kv_heads * head_dim", row);
  check.extent("q", p.tokens, p.ldq);
  check.extent("k", p.tokens, p.ldk);
  check.extent("v", p.tokens, p.ldv);
  check.extent("cos_sin", p.max_positions, p.head_dim);
  check.extent("k_cache", p.cache_slots, row);
  check.pointer("cos_sin", p.cos_sin);
  check.pointer("positions", p.positions, p.tokens == 0);
  check.pointer("slots", p.slots, p.tokens == 0);
  check.pointer("q", p.q, p.tokens == 0);
  check.pointer("k", p.k, p.tokens == 0);
  check.pointer("v", p.v, p.tokens == 0);
  check.pointer("k_cache", p.k_cache, p.tokens == 0 || p.cache_slots == 0);
  check.pointer("v_cache", p.v_cache, p.tokens == 0 || p.cache_slots == 0);
}

void validate_kv_gather(const topv_kv_gather_params& p) {
  const Check check("kv_gather");
  check.at_least("count", p.count, 0);
  check.at_least("cache_slots", p.cache_slots, 0);
  check.at_least("layer_count", p.layer_count, 0);
  const int64_t row = row_of(check, p.kv_heads, p.head_dim);
  check.dtype("dtype", p.dtype);
  check.extent("k_caches", p.cache_slots, row);
  const bool empty = p.count == 0 || p.layer_count == 0;
  check.pointer("src_slots", p.src_slots, empty);
  check.pointer("dst_slots", p.dst_slots, empty);
  check.pointer("k_caches", p.k_caches, empty);
  check.pointer("v_caches", p.v_caches, empty);
  if (empty) return;
  for (int32_t layer = 0; layer < p.layer_count; ++layer) {
    const std::string index = "[" + std::to_string(layer) + "]";
    check.pointer(("k_caches" + index).c_str(), p.k_caches[layer]);
    check.pointer(("v_caches" + index).c_str(), p.v_caches[layer]);
  }
}

}  // namespace topv
