#include <numeric>

#include "reference/kv_gather.hpp"
#include "test_util.hpp"

namespace {

constexpr int64_t kSlots = 40;

struct Gather {
  Gather(int layers, int heads, int head_dim, const std::vector<int32_t>& from,
         const std::vector<int32_t>& to, int32_t dtype, int64_t slots = kSlots)
      : src(from), dst(to) {
    const int64_t width = int64_t{heads} * head_dim;
    test::Random random(from.size() + 1);
    for (int i = 0; i < 2 * layers; ++i) {
      caches.emplace_back(slots * width, dtype);
      caches.back().fill(random, slots, width, width);
    }
    for (int i = 0; i < layers; ++i) {
      k.push_back(caches[static_cast<size_t>(2 * i)].data());
      v.push_back(caches[static_cast<size_t>(2 * i + 1)].data());
    }
    p.k_caches = k.data();
    p.v_caches = v.data();
    p.src_slots = src.data();
    p.dst_slots = dst.data();
    p.count = static_cast<int64_t>(src.size());
    p.cache_slots = slots;
    p.layer_count = layers;
    p.kv_heads = heads;
    p.head_dim = head_dim;
    p.dtype = dtype;
  }
  std::vector<test::Array> caches;
  std::vector<void*> k, v;
  std::vector<int32_t> src, dst;
  topv_kv_gather_params p = {};
};

void agrees(test::Context& ctx, Gather& one) {
  std::vector<std::vector<double>> expected;
  for (const test::Array& cache : one.caches) expected.push_back(reference::kv_gather(one.p, cache.data()));
  ctx.kv_gather(one.p);
  for (size_t c = 0; c < one.caches.size(); ++c) {
    for (int64_t i = 0; i < one.caches[c].count(); ++i) {
      CLOSE(one.caches[c].get(i), expected[c][static_cast<size_t>(i)], 0, "cache " + std::to_string(c));
    }
  }
}

void run(test::Context& ctx, const std::vector<int32_t>& src, const std::vector<int32_t>& dst) {
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
    for (const int layers : {0, 1, 3}) {
      for (const int head_dim : {8, 40}) {
        Gather one(layers, 3, head_dim, src, dst, dtype);
        agrees(ctx, one);
      }
    }
  }
}

/// 0 .. n - 1 in any order.
std::vector<int32_t> shuffled(int32_t n, test::Random& random) {
  std::vector<int32_t> all(static_cast<size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  for (size_t i = all.size(); i > 1; --i) {
    std::swap(all[i - 1], all[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
  }
  return all;
}

}  // namespace

TEST(moves_rows_anywhere) {
  test::for_each_context([](test::Context& ctx) {
    run(ctx, {}, {});
    run(ctx, {39}, {0});
    run(ctx, {0, 5, 7}, {30, 31, 39});
  });
}

TEST(compacts_in_place) {
  test::for_each_context([](test::Context& ctx) {
    run(ctx, {0, 2, 3, 7, 20, 21, 39}, {0, 1, 2, 3, 4, 5, 6});
    run(ctx, {8, 9, 10, 11, 12}, {7, 8, 9, 10, 11});
  });
}

TEST(goes_in_ascending_order_where_rows_depend_on_each_other) {
  test::for_each_context([](test::Context& ctx) {
    run(ctx, {0, 1, 2}, {1, 2, 3});  // row 0 spreads
    run(ctx, {4, 5}, {6, 6});        // the later one wins
  });
}

TEST(compacts_pages_that_lie_in_any_order) {
  test::for_each_context([](test::Context& ctx) {
    constexpr int32_t kPage = 16, kPages = 50;
    for (const int keep_one_in : {1, 2, 3, 40}) {
      test::Random random(static_cast<uint64_t>(keep_one_in));
      const std::vector<int32_t> pages = shuffled(kPages, random);
      const auto slot = [&](int32_t token) {
        return pages[static_cast<size_t>(token / kPage)] * kPage + token % kPage;
      };
      std::vector<int32_t> src, dst;
      for (int32_t token = 5; token < kPage * kPages; ++token) {
        if (random.below(keep_one_in) != 0) continue;
        dst.push_back(slot(5 + static_cast<int32_t>(src.size())));
        src.push_back(slot(token));
      }
      Gather one(2, 1, 12, src, dst, TOPV_BF16, kPage * kPages);
      agrees(ctx, one);
    }
  });
}

TEST(gives_the_sequential_result_for_any_slots) {
  test::for_each_context([](test::Context& ctx) {
    for (const int64_t count : {1, 63, 64, 65, 255, 256, 257, 700}) {
      for (const int64_t slots :
           {int64_t{3}, count, 2 * count, 40 * count}) {  // many, some, hardly any twice
        test::Random random(static_cast<uint64_t>(count * 7 + slots));
        std::vector<int32_t> src, dst;
        for (int64_t i = 0; i < count; ++i) {
          src.push_back(static_cast<int32_t>(random.below(slots)));
          dst.push_back(static_cast<int32_t>(random.below(slots)));
        }
        Gather one(1, 1, 3, src, dst, count % 2 == 0 ? TOPV_F32 : TOPV_BF16, slots);
        agrees(ctx, one);
      }
    }
  });
}

TEST(more_layers_than_one_launch_takes) {
  test::for_each_context([](test::Context& ctx) {
    Gather one(130, 1, 8, {1, 3, 5}, {0, 1, 2}, TOPV_F32, 6);
    agrees(ctx, one);
  });
}

TEST(a_bad_slot_is_refused_before_anything_is_written) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t bad : {-1, static_cast<int32_t>(kSlots)}) {
      for (const bool source : {true, false}) {
        Gather one(1, 1, 8, {5, 6}, {0, 1}, TOPV_F32);
        (source ? one.src : one.dst)[1] = bad;
        const std::vector<test::Array> before = one.caches;
        REFUSED(TOPV_INVALID_ARGUMENT, ctx.kv_gather(one.p), "kv_gather",
                source ? "src_slots[1]" : "dst_slots[1]", std::to_string(bad));
        if (test::writes_nothing_when_refused()) CHECK(one.caches == before);
      }
    }
  });
}
