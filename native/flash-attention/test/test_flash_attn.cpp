// flash_attn.h over topv's kernels on the emulated device: what topv.h does not have. Windows and capped scores, in every
// form of the kernel: by element type, alignment and head size.
#include "attention_case.hpp"
#include "flash_attn/flash_attn.h"

namespace {

struct Context {
  Context() {
    if (flash_attn_open("topv", nullptr, 0, &context) != FLASH_ATTN_OK)
      throw std::runtime_error(flash_attn_error_message());
  }
  ~Context() { flash_attn_close(context); }
  void operator()(const flash_attn_varlen_params& params) {
    if (flash_attn_varlen_fwd(context, nullptr, &params) != FLASH_ATTN_OK ||
        flash_attn_synchronize(context, nullptr) != FLASH_ATTN_OK)
      throw std::runtime_error(flash_attn_error_message());
  }
  flash_attn_context* context = nullptr;
};

struct Masks {
  int32_t left = -1, right = -1;
  float softcap = 0;
};

void run(Context& attention, const test::AttentionShape& shape, const Masks& masks) {
  test::AttentionCase one(shape);
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

/// Each form of the kernel: float32, unaligned rows, and the tensor cores' head sizes, contiguous and paged.
void each_form(const std::function<void(test::AttentionShape&)>& body) {
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16, TOPV_F16}) {
    for (const int head_dim : {24, 80, 128}) {
      for (const int page_size : {0, 16}) {
        test::AttentionShape s{{1, 70, 0, 130}, {40, 200, 9, 130}};
        s.q_heads = 2;
        s.head_dim = head_dim;
        s.page_size = page_size;
        s.pad = head_dim == 24 ? 3 : 0;
        s.dtype = dtype;
        body(s);
      }
    }
  }
}

}  // namespace

TEST(a_window_of_keys) {
  Context attention;
  each_form([&](test::AttentionShape& s) {
    for (const Masks masks : {Masks{0, 0}, Masks{5, -1}, Masks{-1, 3}, Masks{40, 70}, Masks{1000, 0}}) {
      run(attention, s, masks);
    }
    s.causal = true;
    run(attention, s, {63, 0});
  });
}

TEST(capped_scores) {
  Context attention;
  each_form([&](test::AttentionShape& s) {
    s.size = 3;  // scores of some tens, far above the cap
    run(attention, s, {-1, -1, 2.5f});
    s.causal = true;
    run(attention, s, {30, 0, 20.0f});
  });
}
