#include "validate.hpp"

#include <cmath>

#include "error.hpp"

namespace flash_attn {
namespace {

/// The checks for the fields of one function's params.
class Check {
 public:
  explicit Check(const char* function) : function_(function) {}

  void pointer(const char* field, const void* value, bool empty = false) const {
    if (value == nullptr && !empty) fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: %s is NULL", function_, field);
  }
  void null(const char* field, const void* value, const char* reason) const {
    if (value != nullptr) fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: %s is given %s", function_, field, reason);
  }
  void range(const char* field, int64_t value, int64_t least, int64_t most = INT64_MAX) const {
    if (value >= least && value <= most) return;
    if (most == INT64_MAX) {
      fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: %s = %lld is below %lld", function_, field, wide(value),
           wide(least));
    }
    fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: %s = %lld is not in %lld .. %lld", function_, field, wide(value),
         wide(least), wide(most));
  }
  void stride(const char* field, int64_t value, int64_t row) const {
    if (value != 0) range(field, value, row);
  }

  /// What both functions have.
  template <typename Params>
  void common(const Params& p) const {
    range("batch", p.batch, 0);
    range("heads", p.heads, 1);
    range("heads_k", p.heads_k, 1);
    multiple("heads", p.heads, "heads_k", p.heads_k);
    range("head_dim", p.head_dim, 8, 256);
    multiple("head_dim", p.head_dim, "", 8);
    range("dtype", p.dtype, FLASH_ATTN_F32, FLASH_ATTN_BF16);
    range("causal", p.causal, 0, 1);
    range("window_left", p.window_left, -1);
    range("window_right", p.window_right, -1);
    if (!std::isfinite(p.softmax_scale)) {
      fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: softmax_scale = %g is not finite", function_,
           static_cast<double>(p.softmax_scale));
    }
    if (!(p.softcap >= 0) || !std::isfinite(p.softcap)) {
      fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: softcap = %g is not a number of 0 or more", function_,
           static_cast<double>(p.softcap));
    }
    if (p.block_table != nullptr) {
      range("page_size", p.page_size, 1);
      range("blocks", p.blocks, 0);
      range("max_blocks", p.max_blocks, 0);
    }
  }
  void multiple(const char* field, int64_t value, const char* other, int64_t divisor) const {
    if (value % divisor == 0) return;
    fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: %s = %lld is not a multiple of %s%s%lld", function_, field,
         wide(value), other, *other != '\0' ? " = " : "", wide(divisor));
  }

 private:
  static long long wide(int64_t value) { return value; }

  const char* function_;
};

}  // namespace

void validate(const flash_attn_varlen_params& p) {
  const Check check("flash_attn_varlen_fwd");
  check.common(p);
  check.range("total_q", p.total_q, 0);
  check.range("max_seqlen_q", p.max_seqlen_q, 0);
  check.range("max_seqlen_k", p.max_seqlen_k, 0);
  const bool paged = p.block_table != nullptr, nothing = p.batch == 0 || p.total_q == 0;
  const int64_t q_row = int64_t{p.heads} * p.head_dim, k_row = int64_t{p.heads_k} * p.head_dim;
  check.stride("q_row_stride", p.q_row_stride, q_row);
  check.stride("o_row_stride", p.o_row_stride, q_row);
  if (paged) {
    check.null("cu_seqlens_k", p.cu_seqlens_k, "although block_table is");
    check.pointer("seqused_k", p.seqused_k, nothing);
  } else {
    check.range("total_k", p.total_k, 0);
    check.null("seqused_k", p.seqused_k, "although block_table is not");
    check.pointer("cu_seqlens_k", p.cu_seqlens_k, nothing);
    check.stride("k_row_stride", p.k_row_stride, k_row);
    check.stride("v_row_stride", p.v_row_stride, k_row);
  }
  const bool no_keys = nothing || p.max_seqlen_k == 0;
  check.pointer("cu_seqlens_q", p.cu_seqlens_q, nothing);
  check.pointer("q", p.q, nothing);
  check.pointer("out", p.out, nothing);
  check.pointer("k", p.k, no_keys);
  check.pointer("v", p.v, no_keys);
}

void validate(const flash_attn_kvcache_params& p) {
  const Check check("flash_attn_with_kvcache");
  check.common(p);
  check.range("seqlen_q", p.seqlen_q, 0);
  check.range("seqlen_new", p.seqlen_new, 0);
  const bool nothing = p.batch == 0 || p.seqlen_q == 0;
  if (p.block_table != nullptr) {
    check.null("cache_batch_idx", p.cache_batch_idx, "although block_table is");
  } else {
    check.range("cache_batch", p.cache_batch, p.cache_batch_idx != nullptr ? 0 : p.batch);
    check.range("seqlen_cache", p.seqlen_cache, 1);
  }
  check.pointer("q", p.q, nothing);
  check.pointer("out", p.out, nothing);
  check.pointer("k_cache", p.k_cache, nothing);
  check.pointer("v_cache", p.v_cache, nothing);
  check.pointer("cache_seqlens", p.cache_seqlens, nothing);
  if (p.k == nullptr) {
    check.null("v", p.v, "although k is not");
    check.null("rotary_cos", p.rotary_cos, "although k is not: it turns new keys and their queries");
  } else {
    check.pointer("v", p.v);
  }
  if (p.rotary_cos == nullptr) {
    check.null("rotary_sin", p.rotary_sin, "although rotary_cos is not");
  } else {
    check.pointer("rotary_sin", p.rotary_sin);
    check.range("rotary_dim", p.rotary_dim, 2, p.head_dim);
    check.multiple("rotary_dim", p.rotary_dim, "", 2);
    check.range("rotary_seqlen", p.rotary_seqlen, 1);
    check.range("rotary_interleaved", p.rotary_interleaved, 0, 1);
  }
}

}  // namespace flash_attn
