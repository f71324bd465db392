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
    for (const int32_t dtype : test::attention_dtypes()) {
      for (const int page_size : {0, 1, 16}) {
        for (const int32_t keys :
             test::few({0, 1, 2, 15, 16, 17, 31, 33, 127, 128, 129, 255, 256, 257, 700})) {
          run(ctx, shape({keys}, 1, 1, 16, page_size, dtype));
          run(ctx, shape({keys}, 6, 2, 24, page_size, dtype));
        }
      }
    }
  });
}

TEST(agrees_with_the_reference_for_every_head_size_and_group) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      for (const int head_dim : test::few({8, 16, 24, 40, 64, 72, 80, 88, 96, 104, 128, 136, 256})) {
        for (const int group : test::few({1, 2, 3, 4, 5, 8, 16, 17, 33})) {
          run(ctx, shape({3, 0, 290, 17}, group * 2, 2, head_dim, group % 2 == 0 ? 16 : 0, dtype));
        }
      }
    }
  });
}

TEST(large_scores) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
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

TEST(bad_indices_are_refused) {
  test::for_each_context([](test::Context& ctx) {
    const auto refused = [&](test::AttentionCase& one, const char* field, const char* value) {
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.attention_decode(one.params), "attention_decode", field, value);
      if (test::writes_nothing_when_refused()) PADDING_UNTOUCHED(one.out, 0, 0, 0);
    };
    // The number breaks two rules: a device reports the one that it comes to first.
    const auto refused_twice = [&](test::AttentionCase& one, const char* array, const char* index,
                                   const char* value) {
      if (test::writes_nothing_when_refused())
        return refused(one, (array + std::string(index)).c_str(), value);
      refused(one, array, "");
    };
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int32_t page : {-1, 12, 1 << 30}) {
        test::AttentionCase one(shape({100, 70}, 2, 1, 16, 32, dtype));
        CHECK(one.params.page_count == 12 && one.params.max_pages == 5);
        one.table[7] = page;
        refused(one, "block_table[1, 2]", (std::to_string(page) + " is not in [0, 12)").c_str());
      }
      for (const int32_t keys : {-1, 101, 1 << 30}) {
        test::AttentionCase one(shape({100, 70}, 2, 1, 16, 32, dtype));
        one.s.keys[1] = keys;
        refused(one, "seqlens_k[1]", (std::to_string(keys) + " is not in [0, 100]").c_str());
      }
      test::AttentionCase one(shape({100, 70}, 2, 1, 16, 0, dtype));
      one.cu_k[0] = 1;
      refused(one, "cu_seqlens_k[0]", "1");
      one.cu_k[0] = 0;
      one.cu_k[1] = 171;
      one.params.max_seqlen_k = 171;
      refused(one, "cu_seqlens_k[2]", "170 is below");
      one.params.max_seqlen_k = 100;
      refused_twice(one, "cu_seqlens_k", "[1]", "makes a sequence of 171");
      one.cu_k[1] = 100;
      one.cu_q[0] = 1;
      refused_twice(one, "cu_seqlens_q", "[0]", "one query per sequence");
      one.cu_q[0] = 0;
      one.params.max_seqlen_q = 0;
      refused(one, "cu_seqlens_q[1]", "more than the maximum 0");
    }
  });
}

TEST(unaligned_rows_and_one_head_of_many_keys) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      test::AttentionShape s = shape({1537, 64, 65, 0}, 2, 2, 80, 0, dtype);
      for (const int64_t pad : {0, 1, 8}) {
        s.pad = pad;
        run(ctx, s);
      }
    }
  });
}

TEST(no_lse_and_no_sequence) {
  test::for_each_context([](test::Context& ctx) {
    test::AttentionCase one(shape({9}, 2, 1, 8, 16, TOPV_BF16));
    one.params.batch = 0;
    ctx.attention_decode(one.params);
    PADDING_UNTOUCHED(one.out, 0, 0, 0);
    one.params.batch = 1;
    one.params.lse = nullptr;
    ctx.attention_decode(one.params);
    for (int i = 0; i < 16; ++i) CHECK(std::isfinite(one.out.get(i)));
    CHECK(std::isnan(one.lse[0]));
  });
}

TEST(half_is_for_devices_only) {
  if (test::device_backend() != nullptr) return;
  test::AttentionCase one(shape({4, 9}, 2, 1, 8, 16, TOPV_F16));
  topv::Context ctx("cpu");
  REFUSED(TOPV_UNSUPPORTED, ctx.attention_decode(one.params), "attention_decode", "F16");
  REFUSED(TOPV_UNSUPPORTED, ctx.attention_prefill(one.params), "attention_prefill", "F16");
}
