#include "attention_case.hpp"

namespace {

void run(test::Context& ctx, const test::AttentionShape& shape) {
  test::AttentionCase one(shape);
  ctx.attention_prefill(one.params);
  one.check();
}

}  // namespace

TEST(agrees_with_the_reference_at_awkward_lengths) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      for (const bool causal : {false, true}) {
        for (const int32_t queries : test::few({1, 2, 15, 16, 17, 31, 33, 67})) {
          for (const int32_t keys : test::few({0, 1, 31, 32, 33, 63, 64, 65, 67, 129, 300})) {
            test::AttentionShape s{{queries}, {keys}};
            s.causal = causal;
            s.dtype = dtype;
            s.head_dim = 16;
            run(ctx, s);
          }
        }
      }
    }
  });
}

TEST(agrees_with_the_reference_for_every_head_size) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      for (const int head_dim : test::few({8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 128, 256})) {
        for (const int kv_heads : {1, 3}) {
          test::AttentionShape s{{5, 0, 40}, {5, 3, 61}};
          s.q_heads = 3;
          s.kv_heads = kv_heads;
          s.head_dim = head_dim;
          s.causal = true;
          s.pad = 3;
          s.dtype = dtype;
          run(ctx, s);
          s.causal = false;
          s.pad = 0;
          run(ctx, s);
          s.page_size = 7;
          run(ctx, s);
        }
      }
    }
  });
}

TEST(agrees_with_the_reference_where_tiles_end) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      for (const int head_dim : test::few({64, 80, 96, 120, 128})) {
        for (const int page_size : {0, 16, 64}) {
          test::AttentionShape s{{127, 128, 129, 1, 0, 65}, {128, 127, 193, 257, 5, 65}};
          s.head_dim = head_dim;
          s.causal = page_size != 64;
          s.page_size = page_size;
          s.pad = 8;
          s.dtype = dtype;
          run(ctx, s);
        }
      }
    }
  });
}

TEST(reads_pages_in_any_order) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      for (const int page_size : {1, 16, 33}) {
        test::AttentionShape s{{1, 20, 7, 3}, {130, 150, 0, 3}};
        s.q_heads = 8;
        s.kv_heads = 2;
        s.head_dim = 24;
        s.causal = true;
        s.page_size = page_size;
        s.dtype = dtype;
        run(ctx, s);
      }
    }
  });
}

TEST(more_queries_than_keys_leave_zeros_under_a_causal_mask) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      test::AttentionShape s{{40}, {4}};
      s.causal = true;
      s.dtype = dtype;
      test::AttentionCase one(s);
      ctx.attention_prefill(one.params);
      one.check();
      for (int i = 0; i < 36 * 8; ++i) CHECK(one.out.get(i) == 0.0f);
      for (size_t i = 0; i < 36; ++i) CHECK(std::isinf(one.lse[i]) && one.lse[i] < 0);
    }
  });
}

TEST(large_scores_and_any_sign_of_the_scale) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      for (const float scale : {-0.25f, 1.0f, 3.0f}) {
        test::AttentionShape s{{33}, {333}};
        s.head_dim = 16;
        s.dtype = dtype;
        s.scale = scale;
        s.size = scale > 1 ? 4 : 1;  // scores of some hundreds: the reference maximum has to move
        run(ctx, s);
      }
    }
  });
}

TEST(a_scale_of_zero_is_the_mean_of_the_values) {
  test::for_each_context([](test::Context& ctx) {
    test::AttentionShape s{{3}, {5}};
    test::AttentionCase one(s);
    one.params.scale = 0;
    ctx.attention_prefill(one.params);
    for (int d = 0; d < 8; ++d) {
      double mean = 0;
      for (int j = 0; j < 5; ++j) mean += static_cast<double>(one.v.get(j * 8 + d)) / 5;
      CLOSE(one.out.get(d), mean, 1e-6, "mean");
    }
  });
}

TEST(rising_scores_move_the_maximum_in_every_block) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      test::AttentionShape s{{5}, {700}};
      s.dtype = dtype;
      test::AttentionCase one(s);
      for (int i = 0; i < 5 * 8; ++i) one.q.set(i, 1.0f);
      for (int j = 0; j < 700; ++j) {
        for (int d = 0; d < 8; ++d) one.k.set(j * 8 + d, static_cast<float>(j) / 8);
      }
      ctx.attention_prefill(one.params);
      one.check();
    }
  });
}

TEST(threads_change_nothing) {
  test::for_each_pair([](test::Context& single, test::Context& pair) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      test::AttentionShape s{{70, 33}, {150, 33}};
      s.q_heads = 4;
      s.kv_heads = 2;
      s.head_dim = 40;
      s.causal = true;
      s.dtype = dtype;
      test::AttentionCase one(s), two(s);
      single.attention_prefill(one.params);
      pair.attention_prefill(two.params);
      CHECK(one.out == two.out);
      CHECK(one.lse == two.lse);
    }
  });
}

TEST(neighbours_in_the_batch_change_nothing) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : test::attention_dtypes()) {
      test::AttentionShape s{{70, 33}, {150, 33}};
      s.q_heads = 4;
      s.kv_heads = 2;
      s.head_dim = 40;
      s.causal = true;
      s.dtype = dtype;
      test::AttentionCase one(s);
      ctx.attention_prefill(one.params);

      // The second sequence alone.
      test::Array out(33 * 160, dtype);
      topv_attention_params p = one.params;
      const int32_t cu[] = {0, 33};
      const int64_t bytes = dtype == TOPV_F32 ? 4 : 2;
      p.batch = 1;
      p.cu_seqlens_q = p.cu_seqlens_k = cu;
      p.q = static_cast<const char*>(one.q.data()) + 70 * 160 * bytes;
      p.k = static_cast<const char*>(one.k.data()) + 150 * 80 * bytes;
      p.v = static_cast<const char*>(one.v.data()) + 150 * 80 * bytes;
      p.out = out.data();
      p.lse = nullptr;
      ctx.attention_prefill(p);
      for (int i = 0; i < 33 * 160; ++i) CHECK(out.get(i) == one.out.get(70 * 160 + i));
    }
  });
}

TEST(no_sequence_and_no_query_are_allowed) {
  test::for_each_context([](test::Context& ctx) {
    run(ctx, {{0}, {5}});
    test::AttentionCase one({{1}, {1}});
    one.params.batch = 0;
    one.params.cu_seqlens_q = one.params.cu_seqlens_k = nullptr;
    ctx.attention_prefill(one.params);
    PADDING_UNTOUCHED(one.out, 0, 0, 0);
  });
}

TEST(bad_indices_are_refused_before_anything_is_written) {
  test::for_each_context([](test::Context& ctx) {
    test::AttentionShape s{{2, 3}, {20, 3}};
    const auto refused = [&](test::AttentionCase& one, const char* field, const char* value) {
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.attention_prefill(one.params), "attention_prefill", field, value);
      if (test::writes_nothing_when_refused()) PADDING_UNTOUCHED(one.out, 0, 0, 0);
    };
    {
      test::AttentionCase one(s);
      one.cu_q[1] = 4;
      refused(one, "cu_seqlens_q[1]", "4");
      one.cu_q[1] = 2;
      one.cu_q[2] = 1;
      refused(one, "cu_seqlens_q[2]", "1");
    }
    {
      test::AttentionCase one(s);
      one.cu_k[0] = 1;
      refused(one, "cu_seqlens_k[0]", "1");
    }
    s.page_size = 8;
    {
      test::AttentionCase one(s);
      one.table[1] = one.params.page_count;
      refused(one, "block_table[0, 1]", std::to_string(one.params.page_count).c_str());
    }
    {
      test::AttentionCase one(s);
      one.s.keys[1] = -1;
      one.params.seqlens_k = one.s.keys.data();
      refused(one, "seqlens_k[1]", "-1");
    }
  });
}
