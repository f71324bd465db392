// Providers "torch" and "cudnn" over a stand-in for libtorch_cuda.so (libtorch_double.cpp): what they ask it, and what they
// refuse.
#include "flash_attn_case.hpp"

namespace {

using test::AttentionShape;
using test::FlashAttn;
using test::Masks;

AttentionShape shape(std::vector<int32_t> queries, std::vector<int32_t> keys, int32_t dtype) {
  AttentionShape s{std::move(queries), std::move(keys)};
  s.q_heads = 4;
  s.kv_heads = 2;
  s.head_dim = 16;
  s.dtype = dtype;
  return s;
}

void refused(const std::function<void()>& body, const std::string& words) {
  std::string message;
  try {
    body();
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  if (message.find(words) == std::string::npos)
    throw std::runtime_error("\"" + words + "\" is not in: " + message);
}

}  // namespace

TEST(torch_packed_and_paged) {
  FlashAttn attention("torch");
  for (const int32_t dtype : {TOPV_F16, TOPV_BF16}) {
    for (const int page_size : {0, 256}) {
      AttentionShape s = shape({3, 0, 17, 1}, {5, 4, 300, 9}, dtype);
      s.page_size = page_size;
      s.pad = page_size == 0 ? 8 : 0;
      run(attention, s);
      run(attention, s, {4, 2});
      s.causal = true;
      run(attention, s);
    }
  }
}

// A query per sequence over a cache, paged: the log-sum-exp of the C interface is [batch, heads, 1].
TEST(torch_cache) {
  FlashAttn attention("torch");
  AttentionShape s = shape({1, 1, 1}, {5, 300, 256}, TOPV_BF16);
  s.page_size = 256;
  test::AttentionCase one(s);
  flash_attn_kvcache_params p = {};
  p.q = one.params.q;
  p.k_cache = const_cast<void*>(one.params.k);
  p.v_cache = const_cast<void*>(one.params.v);
  p.out = one.params.out;
  std::vector<float> lse(one.lse.size());
  p.softmax_lse = lse.data();
  p.cache_seqlens = one.params.seqlens_k;
  p.block_table = one.params.block_table;
  p.batch = 3;
  p.seqlen_q = 1;
  p.page_size = one.params.page_size;
  p.blocks = one.params.page_count;
  p.max_blocks = one.params.max_pages;
  p.heads = s.q_heads;
  p.heads_k = s.kv_heads;
  p.head_dim = s.head_dim;
  p.dtype = s.dtype;
  p.window_left = p.window_right = -1;
  attention(p);
  for (size_t h = 0; h < 4; ++h) {
    for (size_t b = 0; b < 3; ++b) one.lse[h * 3 + b] = lse[b * 4 + h];
  }
  one.check();
}

TEST(cudnn_batches_of_one_length) {
  FlashAttn attention("cudnn");
  for (const int32_t dtype : {TOPV_F16, TOPV_BF16}) {
    AttentionShape s = shape({19, 19, 19}, {19, 19, 19}, dtype);
    run(attention, s);
    s.pad = 8;
    s.causal = true;
    run(attention, s);
    run(attention, shape({3, 3}, {40, 40}, dtype));
  }
}

TEST(what_they_cannot_do) {
  FlashAttn torch("torch"), cudnn("cudnn");
  AttentionShape s = shape({3, 4}, {3, 4}, TOPV_BF16);
  refused([&] { run(torch, s, {-1, -1, 5.0f}); }, "provider \"torch\"");
  refused([&] { run(torch, s, {-1, -1, 5.0f}); }, "has no softcap");
  refused([&] { run(torch, shape({2}, {0}, TOPV_BF16)); }, "needs keys");
  refused([&] { run(cudnn, s); }, "takes sequences of one length only");
  s = shape({4, 4}, {7, 7}, TOPV_BF16);
  refused([&] { run(cudnn, s, {2, -1}); }, "has no window");
  refused([&] { run(cudnn, s, {-1, -1, 5.0f}); }, "has no softcap");
  s.causal = true;
  refused([&] { run(cudnn, s); }, "as many queries as keys");
  s.page_size = 256;
  refused([&] { run(cudnn, s); }, "takes no pages");
  for (FlashAttn* const one : {&torch, &cudnn})
    refused([&] { run(*one, shape({4}, {4}, TOPV_F32)); }, "F16 and BF16 only");
  s = shape({4}, {7}, TOPV_BF16);
  s.page_size = 16;  // the operator itself refuses
  refused([&] { run(torch, s); }, "pages");
}
