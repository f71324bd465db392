#include <numeric>

#include "reference/rope.hpp"
#include "test_util.hpp"

namespace {

constexpr int64_t kPositions = 37;

/// Rows of q, k and v side by side, as a fused product gives them, and a cache.
struct Fused {
  Fused(int64_t tokens, int q_heads, int kv_heads, int head_dim, int64_t pad, int32_t dtype)
      : q_width(int64_t{q_heads} * head_dim),
        kv_width(int64_t{kv_heads} * head_dim),
        ld(q_width + 2 * kv_width + pad),
        rows(tokens * ld, dtype),
        k_cache((tokens + 5) * kv_width, dtype),
        v_cache((tokens + 5) * kv_width, dtype) {
    test::Random random(static_cast<uint64_t>(tokens * 100 + head_dim));
    rows.fill(random, tokens, ld - pad, ld);
    for (int64_t i = 0; i < kPositions * head_dim; ++i) cos_sin.push_back(random.uniform());
    for (int64_t t = 0; t < tokens; ++t) {
      positions.push_back(static_cast<int32_t>(random.below(kPositions)));
      // Every slot once, from the last one down; one token in five is not kept.
      slots.push_back(random.below(5) == 0 ? -1 : static_cast<int32_t>(tokens + 3 - t));
    }
    p.cos_sin = cos_sin.data();
    p.positions = positions.data();
    p.slots = slots.data();
    p.tokens = tokens;
    p.ldq = p.ldk = p.ldv = ld;
    p.max_positions = kPositions;
    p.cache_slots = tokens + 5;
    p.q_heads = q_heads;
    p.kv_heads = kv_heads;
    p.head_dim = head_dim;
    p.dtype = dtype;
  }
  topv_rope_append_params params() {
    const int64_t size = rows.dtype() == TOPV_F32 ? 4 : 2;
    char* data = static_cast<char*>(rows.data());
    p.q = data;
    p.k = data + q_width * size;
    p.v = data + (q_width + kv_width) * size;
    p.k_cache = k_cache.data();
    p.v_cache = v_cache.data();
    return p;
  }
  int64_t q_width, kv_width, ld;
  test::Array rows, k_cache, v_cache;
  std::vector<float> cos_sin;
  std::vector<int32_t> positions, slots;
  topv_rope_append_params p = {};
};

topv_rope_params rope_of(const topv_rope_append_params& p, bool key) {
  topv_rope_params r = {};
  r.x = key ? p.k : p.q;
  r.cos_sin = p.cos_sin;
  r.positions = p.positions;
  r.tokens = p.tokens;
  r.ldx = key ? p.ldk : p.ldq;
  r.max_positions = p.max_positions;
  r.heads = key ? p.kv_heads : p.q_heads;
  r.head_dim = p.head_dim;
  r.dtype = p.dtype;
  return r;
}

topv_kv_append_params append_of(const topv_rope_append_params& p) {
  topv_kv_append_params a = {};
  a.k = p.k;
  a.v = p.v;
  a.k_cache = p.k_cache;
  a.v_cache = p.v_cache;
  a.slots = p.slots;
  a.tokens = p.tokens;
  a.ldk = p.ldk;
  a.ldv = p.ldv;
  a.cache_slots = p.cache_slots;
  a.kv_heads = p.kv_heads;
  a.head_dim = p.head_dim;
  a.dtype = p.dtype;
  return a;
}

void run(test::Context& ctx, int64_t tokens, int q_heads, int kv_heads, int head_dim, int64_t pad,
         int32_t dtype) {
  const std::string what = "D " + std::to_string(head_dim);
  Fused one(tokens, q_heads, kv_heads, head_dim, pad, dtype);
  Fused steps = one;
  const std::vector<double> q = reference::rope(rope_of(one.params(), false));
  const std::vector<double> k = reference::rope(rope_of(one.params(), true));
  const test::Array before = one.rows;
  ctx.rope_append(one.params());
  for (int64_t t = 0; t < tokens; ++t) {
    const int64_t row = t * one.ld, slot = one.slots[static_cast<size_t>(t)] * one.kv_width;
    // Two roundings on terms of the size of the pair, at most about 6 here.
    for (int64_t i = 0; i < one.q_width; ++i) {
      const double e = q[static_cast<size_t>(t * one.q_width + i)];
      CLOSE(one.rows.get(row + i), e, reference::allowed(e, 6, 2, dtype), what + " q");
    }
    for (int64_t i = 0; i < one.kv_width; ++i) {
      const double e = k[static_cast<size_t>(t * one.kv_width + i)];
      CLOSE(one.rows.get(row + one.q_width + i), e, reference::allowed(e, 6, 2, dtype), what + " k");
      if (slot < 0) continue;
      CLOSE(one.k_cache.get(slot + i), static_cast<double>(one.rows.get(row + one.q_width + i)), 0,
            "cached k");
      CLOSE(one.v_cache.get(slot + i), static_cast<double>(before.get(row + one.q_width + one.kv_width + i)),
            0, "cached v");
    }
  }
  PADDING_UNTOUCHED(one.rows, tokens, one.ld - pad, one.ld);

  const topv_rope_append_params p = steps.params();
  ctx.rope(rope_of(p, false));
  ctx.rope(rope_of(p, true));
  ctx.kv_append(append_of(p));
  CHECK(one.rows == steps.rows);
  CHECK(one.k_cache == steps.k_cache);
  CHECK(one.v_cache == steps.v_cache);
}

}  // namespace

TEST(is_rope_and_kv_append_bit_for_bit) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int head_dim : {8, 16, 24, 40, 64, 80, 128, 256}) {
        for (const int64_t tokens : {0, 1, 3, 29}) {
          run(ctx, tokens, 1, 1, head_dim, 0, dtype);
          run(ctx, tokens, 6, 2, head_dim, 8, dtype);
          run(ctx, tokens, 3, 3, head_dim, 3, dtype);
        }
      }
    }
  });
}

TEST(threads_share_many_tokens) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) run(ctx, 501, 4, 2, 40, 3, dtype);
  });
}

TEST(bad_positions_and_slots_are_refused) {
  test::for_each_context([](test::Context& ctx) {
    const auto with = [&](auto change, const char* words) {
      Fused one(3, 2, 1, 8, 0, TOPV_F32);
      one.slots = {0, 1, -1};
      change(one);
      const test::Array before = one.rows;
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.rope_append(one.params()), words);
      if (!test::writes_nothing_when_refused()) return;
      CHECK(one.rows == before);
      PADDING_UNTOUCHED(one.k_cache, 0, 0, 0);
      PADDING_UNTOUCHED(one.v_cache, 0, 0, 0);
    };
    with([](Fused& f) { f.positions[2] = -1; }, "rope_append: positions[2] = -1 is not in [0, 37)");
    with([](Fused& f) { f.positions[0] = 37; }, "rope_append: positions[0] = 37 is not in [0, 37)");
    with([](Fused& f) { f.slots[1] = 8; }, "rope_append: slots[1] = 8 is neither -1 nor in [0, 8)");
    with([](Fused& f) { f.slots[2] = -2; }, "rope_append: slots[2] = -2 is neither -1 nor in [0, 8)");
  });
}

TEST(refusals) {
  test::for_each_context([](test::Context& ctx) {
    const auto with = [&](auto change, const char* words) {
      Fused one(3, 2, 1, 16, 0, TOPV_F32);
      topv_rope_append_params p = one.params();
      change(p);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.rope_append(p), words);
    };
    with([](auto& p) { p.tokens = -1; }, "rope_append: tokens = -1 is below 0");
    with([](auto& p) { p.max_positions = 0; }, "rope_append: max_positions = 0 is below 1");
    with([](auto& p) { p.cache_slots = -1; }, "rope_append: cache_slots = -1 is below 0");
    with([](auto& p) { p.q_heads = 0; }, "rope_append: q_heads = 0 is below 1");
    with([](auto& p) { p.kv_heads = 0; }, "rope_append: kv_heads = 0 is below 1");
    with([](auto& p) { p.head_dim = 12; }, "rope_append: head_dim = 12 is not a multiple of 8");
    with([](auto& p) { p.dtype = TOPV_F16; }, "rope_append: dtype = 1");
    with([](auto& p) { p.ldq = 31; }, "rope_append: ldq = 31 is below q_heads * head_dim = 32");
    with([](auto& p) { p.ldk = 15; }, "rope_append: ldk = 15 is below kv_heads * head_dim = 16");
    with([](auto& p) { p.ldv = 15; }, "rope_append: ldv = 15 is below kv_heads * head_dim = 16");
    with([](auto& p) { p.q = nullptr; }, "rope_append: q is NULL");
    with([](auto& p) { p.k = nullptr; }, "rope_append: k is NULL");
    with([](auto& p) { p.v = nullptr; }, "rope_append: v is NULL");
    with([](auto& p) { p.cos_sin = nullptr; }, "rope_append: cos_sin is NULL");
    with([](auto& p) { p.positions = nullptr; }, "rope_append: positions is NULL");
    with([](auto& p) { p.slots = nullptr; }, "rope_append: slots is NULL");
    with([](auto& p) { p.k_cache = nullptr; }, "rope_append: k_cache is NULL");
    with([](auto& p) { p.v_cache = nullptr; }, "rope_append: v_cache is NULL");
  });
}
