// flash_attn.h on the problems of the attention tests.
#pragma once

#include "attention_case.hpp"
#include "flash_attn/flash_attn.h"

namespace test {

/// A context of flash_attn.h; what it refuses is thrown.
struct FlashAttn {
  explicit FlashAttn(const char* provider) {
    if (flash_attn_open(provider, nullptr, 0, &context) != FLASH_ATTN_OK)
      throw std::runtime_error(flash_attn_error_message());
  }
  ~FlashAttn() { flash_attn_close(context); }
  void operator()(const flash_attn_varlen_params& params) {
    finish(flash_attn_varlen_fwd(context, nullptr, &params));
  }
  void operator()(const flash_attn_kvcache_params& params) {
    finish(flash_attn_with_kvcache(context, nullptr, &params));
  }
  flash_attn_context* context = nullptr;

 private:
  void finish(flash_attn_status status) {
    if (status != FLASH_ATTN_OK || flash_attn_synchronize(context, nullptr) != FLASH_ATTN_OK)
      throw std::runtime_error(flash_attn_error_message());
  }
};

struct Masks {
  int32_t left = -1, right = -1;
  float softcap = 0;
};

/// flash_attn_varlen_fwd against the reference.
inline void run(FlashAttn& attention, const AttentionShape& shape, const Masks& masks = {}) {
  AttentionCase one(shape);
  const topv_attention_params& from = one.params;
  flash_attn_varlen_params p = {};
  p.q = from.q;
  p.k = from.k;
  p.v = from.v;
  p.out = from.out;
  p.softmax_lse = from.lse;
  p.cu_seqlens_q = from.cu_seqlens_q;
  p.cu_seqlens_k = from.cu_seqlens_k;
  p.seqused_k = from.seqlens_k;
  p.block_table = from.block_table;
  p.q_row_stride = from.ldq;
  p.k_row_stride = from.ldk;
  p.v_row_stride = from.ldv;
  p.o_row_stride = from.ldo;
  p.batch = from.batch;
  p.total_q = one.cu_q.back();
  p.total_k = one.cu_k.back();
  p.max_seqlen_q = from.max_seqlen_q;
  p.max_seqlen_k = from.max_seqlen_k;
  p.heads = from.q_heads;
  p.heads_k = from.kv_heads;
  p.head_dim = from.head_dim;
  p.page_size = from.page_size;
  p.blocks = from.page_count;
  p.max_blocks = from.max_pages;
  p.dtype = from.dtype;
  p.causal = from.causal;
  p.window_left = masks.left;
  p.window_right = masks.right;
  p.softmax_scale = from.scale;
  p.softcap = masks.softcap;
  attention(p);

  reference::AttentionExtras extras;
  if (masks.left >= 0) extras.left = masks.left;
  if (masks.right >= 0) extras.right = masks.right;
  extras.softcap = static_cast<double>(masks.softcap);
  one.check(extras);
}

}  // namespace test
