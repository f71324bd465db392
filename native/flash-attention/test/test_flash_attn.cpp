// flash_attn.h over topv's kernels on the emulated device: what topv.h does not have. Windows and capped scores, in every
// form of the kernel: by element type, alignment and head size.
#include "flash_attn_case.hpp"

namespace {

using test::FlashAttn;
using test::Masks;

/// Each form of the kernel: float32, unaligned rows, and the tensor cores' head sizes, contiguous and paged.
void each_form(const std::function<void(test::AttentionShape&)>& body) {
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16, TOPV_F16}) {
    if (test::small() && dtype == TOPV_F16) continue;  // as TOPV_BF16
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
  FlashAttn attention("topv");
  each_form([&](test::AttentionShape& s) {
    for (const Masks masks : {Masks{0, 0}, Masks{5, -1}, Masks{-1, 3}, Masks{40, 70}, Masks{1000, 0}}) {
      run(attention, s, masks);
    }
    s.causal = true;
    run(attention, s, {63, 0});
  });
}

TEST(capped_scores) {
  FlashAttn attention("topv");
  each_form([&](test::AttentionShape& s) {
    s.size = 3;  // scores of some tens, far above the cap
    run(attention, s, {-1, -1, 2.5f});
    s.causal = true;
    run(attention, s, {30, 0, 20.0f});
  });
}

// Queries are rotated even where k, which asks for that, brings no key.
TEST(rotation_without_new_keys) {
  FlashAttn attention("topv");
  constexpr int kKeys = 5, kDim = 8;
  test::Random random(5);
  std::vector<float> q(2 * kDim), k(2 * kKeys * kDim), v(k.size()), turned(q.size()), plain(q.size()),
      out(q.size());
  for (std::vector<float>* array : {&q, &k, &v}) {
    for (float& x : *array) x = random.normal();
  }
  const std::vector<int32_t> lengths = {3, kKeys};
  std::vector<float> cosine, sine;  // one pair
  for (int position = 0; position <= kKeys; ++position) {
    cosine.push_back(std::cos(static_cast<float>(position)));
    sine.push_back(std::sin(static_cast<float>(position)));
  }
  for (size_t b = 0; b < 2; ++b) {
    const float c = cosine[static_cast<size_t>(lengths[b])], s = sine[static_cast<size_t>(lengths[b])];
    std::copy(&q[kDim * b], &q[kDim * b] + kDim, &turned[kDim * b]);
    turned[kDim * b] = q[kDim * b] * c - q[kDim * b + 1] * s;
    turned[kDim * b + 1] = q[kDim * b + 1] * c + q[kDim * b] * s;
  }
  flash_attn_kvcache_params p = {};
  p.q = turned.data();
  p.k_cache = k.data();
  p.v_cache = v.data();
  p.out = plain.data();
  p.cache_seqlens = lengths.data();
  p.batch = p.cache_batch = 2;
  p.seqlen_q = p.heads = p.heads_k = 1;
  p.seqlen_cache = kKeys;
  p.head_dim = kDim;
  p.dtype = FLASH_ATTN_F32;
  p.window_left = p.window_right = -1;
  attention(p);
  p.q = q.data();
  p.out = out.data();
  p.k = k.data();
  p.v = v.data();
  p.rotary_cos = cosine.data();
  p.rotary_sin = sine.data();
  p.rotary_dim = 2;
  p.rotary_seqlen = kKeys + 1;
  attention(p);
  for (size_t i = 0; i < out.size(); ++i)
    CLOSE(out[i], static_cast<double>(plain[i]), 1e-5, "element " + std::to_string(i));
}
