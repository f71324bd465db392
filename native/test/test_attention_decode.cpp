#include "attention_case.hpp"

namespace {

test::AttentionShape shape(const std::vector<int32_t>& keys, int q_heads, int kv_heads, int head_dim,
                           int page_size, int32_t dtype) {
  test::AttentionShape s{std::vector<int32_t>(keys.size(), 1), keys};
  s.q_heads = q_heads;
  s.kv_heads = kv_heads;
  s.head_dim = head_dim;
  s.page_size = page_size;
  s.dtype = dtype;
  s.causal = true;
  s.pad = page_size > 0 ? 0 : 5;
  return s;
}

void run(test::Context& ctx, const test::AttentionShape& s) {
  test::AttentionCase one(s);
  ctx.attention_decode(one.params);
  one.check();
}

}  // namespace

TEST(agrees_with_the_reference_at_awkward_lengths) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int page_size : {0, 1, 16}) {
        for (const int32_t keys : {0, 1, 2, 15, 16, 17, 31, 33, 127, 128, 129, 255, 256, 257, 700}) {
          run(ctx, shape({keys}, 1, 1, 16, page_size, dtype));
          run(ctx, shape({keys}, 6, 2, 24, page_size, dtype));
        }
      }
    }
  });
}

TEST(agrees_with_the_reference_for_every_head_size_and_group) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (int head_dim = 8; head_dim <= 256; head_dim += head_dim < 72 ? 8 : 23 * 8) {
        for (const int group : {1, 2, 3, 4, 5, 8, 32, 33}) {
          run(ctx, shape({3, 0, 290, 17}, group * 2, 2, head_dim, group % 2 == 0 ? 16 : 0, dtype));
        }
      }
    }
  });
}

TEST(large_scores) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      test::AttentionShape s = shape({600}, 4, 2, 32, 16, dtype);
      s.size = 4;
      s.scale = 2;
      run(ctx, s);
      s.scale = -2;
      run(ctx, s);
    }
  });
}

TEST(threads_change_nothing) {
  test::for_each_pair([](test::Context& single, test::Context& pair) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      const test::AttentionShape s = shape({1000, 3, 517}, 8, 2, 64, 16, dtype);
      test::AttentionCase one(s), two(s);
      single.attention_decode(one.params);
      pair.attention_decode(two.params);
      CHECK(one.out == two.out);
      CHECK(one.lse == two.lse);
    }
  });
}

TEST(more_than_one_query_is_refused) {
  test::for_each_context([](test::Context& ctx) {
    test::AttentionShape s = shape({4, 4}, 1, 1, 8, 0, TOPV_F32);
    s.queries[1] = 2;
    test::AttentionCase one(s);
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.attention_decode(one.params), "attention_decode", "cu_seqlens_q[2]",
            "3");
    if (test::writes_nothing_when_refused()) PADDING_UNTOUCHED(one.out, 0, 0, 0);
  });
}

TEST(half_is_for_devices_only) {
  if (test::device_backend() != nullptr) return;
  test::AttentionCase one(shape({4, 9}, 2, 1, 8, 16, TOPV_F16));
  topv::Context ctx("cpu");
  REFUSED(TOPV_UNSUPPORTED, ctx.attention_decode(one.params), "attention_decode", "F16");
  REFUSED(TOPV_UNSUPPORTED, ctx.attention_prefill(one.params), "attention_prefill", "F16");
}
