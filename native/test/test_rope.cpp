#include "reference/rope.hpp"
#include "test_util.hpp"

namespace {

constexpr int64_t kPositions = 37;

std::vector<float> table(int head_dim) {
  std::vector<float> rows;
  for (int64_t position = 0; position < kPositions; ++position) {
    for (const bool sine : {false, true}) {
      for (int i = 0; i < head_dim / 2; ++i) {
        const double angle = static_cast<double>(position) * std::pow(10000.0, -2.0 * i / head_dim);
        rows.push_back(static_cast<float>(sine ? std::sin(angle) : std::cos(angle)));
      }
    }
  }
  return rows;
}

topv_rope_params params(test::Array& x, const std::vector<float>& cos_sin,
                        const std::vector<int32_t>& positions, int64_t ldx, int heads, int head_dim) {
  topv_rope_params p = {};
  p.x = x.data();
  p.cos_sin = cos_sin.data();
  p.positions = positions.data();
  p.tokens = static_cast<int64_t>(positions.size());
  p.ldx = ldx;
  p.max_positions = kPositions;
  p.heads = heads;
  p.head_dim = head_dim;
  p.dtype = x.dtype();
  return p;
}

void run(test::Context& ctx, int64_t tokens, int heads, int head_dim, int64_t pad, int32_t dtype) {
  test::Random random(static_cast<uint64_t>(tokens * 100 + head_dim));
  const int64_t width = int64_t{heads} * head_dim, ld = width + pad;
  test::Array x(tokens * ld, dtype);
  x.fill(random, tokens, width, ld);
  std::vector<int32_t> positions;
  for (int64_t t = 0; t < tokens; ++t) positions.push_back(static_cast<int32_t>(random.below(kPositions)));
  const std::vector<float> cos_sin = table(head_dim);
  const topv_rope_params p = params(x, cos_sin, positions, ld, heads, head_dim);
  const std::vector<double> expected = reference::rope(p);
  ctx.rope(p);
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t i = 0; i < width; ++i) {
      const double e = expected[static_cast<size_t>(t * width + i)];
      // Two roundings on terms of the size of the pair, at most about 6 here.
      CLOSE(x.get(t * ld + i), e, reference::allowed(e, 6, 2, dtype), "D " + std::to_string(head_dim));
    }
  }
  PADDING_UNTOUCHED(x, tokens, width, ld);
}

}  // namespace

TEST(agrees_with_the_reference) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int head_dim : {8, 16, 24, 40, 64, 80, 128, 256}) {
        for (const int64_t tokens : {0, 1, 3, 67}) {
          run(ctx, tokens, 1, head_dim, 0, dtype);
          run(ctx, tokens, 5, head_dim, 3, dtype);
          run(ctx, tokens, 3, head_dim, 8, dtype);
        }
      }
    }
  });
}

TEST(position_zero_changes_nothing) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      test::Random random(5);
      test::Array x(2 * 48, dtype);
      x.fill(random, 2, 48, 48);
      const test::Array before = x;
      const std::vector<float> cos_sin = table(24);
      const std::vector<int32_t> positions = {0, 0};
      ctx.rope(params(x, cos_sin, positions, 48, 2, 24));
      CHECK(x == before);
    }
  });
}

TEST(a_position_outside_the_table_is_refused) {
  test::for_each_context([](test::Context& ctx) {
    test::Random random(5);
    test::Array x(2 * 8, TOPV_F32);
    x.fill(random, 2, 8, 8);
    const test::Array before = x;
    const std::vector<float> cos_sin = table(8);
    for (const int32_t bad : {-1, static_cast<int32_t>(kPositions)}) {
      const std::vector<int32_t> positions = {1, bad};
      const topv_rope_params p = params(x, cos_sin, positions, 8, 1, 8);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.rope(p), "rope", "positions[1]", std::to_string(bad));
      if (test::writes_nothing_when_refused()) CHECK(x == before);
    }
  });
}

TEST(threads_share_many_tokens) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) run(ctx, 701, 5, 40, 3, dtype);
  });
}
