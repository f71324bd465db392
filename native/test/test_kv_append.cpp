#include <numeric>

#include "reference/kv_append.hpp"
#include "test_util.hpp"

namespace {

/// Equal bit for bit, or both poison.
void same(const test::Array& cache, const std::vector<double>& expected, const char* what) {
  for (int64_t i = 0; i < cache.count(); ++i) {
    const double e = expected[static_cast<size_t>(i)], a = static_cast<double>(cache.get(i));
    if (!(a == e || (std::isnan(a) && std::isnan(e)))) {
      return test::failed(__FILE__, __LINE__, std::string(what) + " differs at " + std::to_string(i));
    }
  }
}

struct Append {
  Append(int64_t tokens, int heads, int head_dim, int64_t slots, int64_t pad, int32_t dtype)
      : width(int64_t{heads} * head_dim),
        ld(width + pad),
        k(tokens * ld, dtype),
        v(tokens * ld, dtype),
        k_cache(slots * width, dtype),
        v_cache(slots * width, dtype) {
    test::Random random(static_cast<uint64_t>(tokens + slots));
    k.fill(random, tokens, width, ld);
    v.fill(random, tokens, width, ld);
    // Distinct slots in any order, and about one -1 in four.
    std::vector<int32_t> order(static_cast<size_t>(slots));
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
    }
    for (size_t t = 0; t < static_cast<size_t>(tokens); ++t) {
      slot.push_back(random.below(4) == 0 ? -1 : order[t]);
    }
    p.k = k.data();
    p.v = v.data();
    p.k_cache = k_cache.data();
    p.v_cache = v_cache.data();
    p.slots = slot.data();
    p.tokens = tokens;
    p.ldk = p.ldv = ld;
    p.cache_slots = slots;
    p.kv_heads = heads;
    p.head_dim = head_dim;
    p.dtype = dtype;
  }
  int64_t width, ld;
  test::Array k, v, k_cache, v_cache;
  std::vector<int32_t> slot;
  topv_kv_append_params p = {};
};

}  // namespace

TEST(writes_the_slots_named_and_no_others) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int64_t tokens : {0, 1, 2, 31, 3000}) {
        for (const int64_t pad : {0, 3}) {
          Append one(tokens, 3, 24, tokens + 9, pad, dtype);
          const auto k = reference::kv_append(one.p, one.k_cache.data(), one.k.data(), one.ld);
          const auto v = reference::kv_append(one.p, one.v_cache.data(), one.v.data(), one.ld);
          ctx.kv_append(one.p);
          same(one.k_cache, k, "k");
          same(one.v_cache, v, "v");
        }
      }
    }
  });
}

TEST(rows_of_any_width) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int head_dim : {1, 7, 10, 128}) {
        for (const int heads : {1, 5}) {
          Append one(17, heads, head_dim, 29, 8, dtype);
          const auto k = reference::kv_append(one.p, one.k_cache.data(), one.k.data(), one.ld);
          const auto v = reference::kv_append(one.p, one.v_cache.data(), one.v.data(), one.ld);
          ctx.kv_append(one.p);
          same(one.k_cache, k, "k");
          same(one.v_cache, v, "v");
        }
      }
    }
  });
}

TEST(a_bad_slot_is_refused_before_anything_is_written) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t bad : {-2, 40}) {
      Append one(5, 1, 8, 40, 0, TOPV_F32);
      one.slot[4] = bad;
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.kv_append(one.p), "kv_append", "slots[4]", std::to_string(bad));
      if (test::writes_nothing_when_refused()) {
        PADDING_UNTOUCHED(one.k_cache, 0, 0, 0);
        PADDING_UNTOUCHED(one.v_cache, 0, 0, 0);
      }
    }
  });
}
