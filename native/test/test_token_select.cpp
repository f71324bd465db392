#include "topv_case.hpp"

namespace {

using Indices = std::vector<int32_t>;

reference::Values doubles(const std::vector<float>& x) { return reference::Values(x.begin(), x.end()); }

}  // namespace

TEST(agrees_with_the_reference_with_many_ties) {
  test::for_each_context([](test::Context& ctx) {
    test::Random random(1);
    for (const int32_t n : test::few({1, 2, 3, 7, 16, 17, 100, 576})) {
      for (int round = 0; round < (test::small() ? 2 : 20); ++round) {
        std::vector<float> importance;
        for (int32_t i = 0; i < n; ++i) {
          const int64_t kind = random.below(12);
          importance.push_back(kind == 0   ? std::numeric_limits<float>::quiet_NaN()
                               : kind == 1 ? std::numeric_limits<float>::infinity()
                               : kind == 2 ? -std::numeric_limits<float>::infinity()
                               : kind == 3 ? -0.0f
                               : kind < 8  ? static_cast<float>(random.below(4)) - 1
                                           : random.normal());
        }
        for (const int32_t top : {0, static_cast<int32_t>(random.below(n + 1)), n}) {
          for (const int recover : test::few({0, 1, 3, 4, 1000})) {
            const Indices kept = test::token_select(ctx, importance, {n}, {top}, recover);
            CHECK(kept == reference::token_select(doubles(importance), top, recover));
          }
        }
      }
    }
  });
}

// A GPU holds 4,096 tokens in registers.
TEST(large_images_of_odd_sizes_agree_with_the_reference) {
  test::for_each_context([](test::Context& ctx) {
    const float infinity = std::numeric_limits<float>::infinity();
    for (const int32_t n : test::few({4095, 4096, 4097, 4609, 9001})) {
      test::Random random(static_cast<uint64_t>(n));
      std::vector<float> distinct, tied, none(static_cast<size_t>(n), -infinity);
      for (int32_t i = 0; i < n; ++i) {
        distinct.push_back(random.normal());
        tied.push_back(static_cast<float>(random.below(3)));
        if (i % 2 == 1) none[static_cast<size_t>(i)] = std::numeric_limits<float>::quiet_NaN();
      }
      for (const auto& importance :
           {distinct, tied, std::vector<float>(static_cast<size_t>(n), 0.5f), none}) {
        for (const int32_t top : {1, n / 3, n - 1}) {
          const Indices kept = test::token_select(ctx, importance, {n}, {top}, 5);
          CHECK(kept == reference::token_select(doubles(importance), top, 5));
        }
      }
    }
    const std::vector<float> equal(4097 + 5 + 8200, 1.0f);  // several images, the larger ones not first
    const std::vector<int32_t> tokens = {5, 4097, 8200}, top = {2, 4000, 8199};
    Indices expected;
    for (size_t m = 0; m < 3; ++m) {
      for (int32_t i = 0; i < top[m]; ++i) expected.push_back(i);
    }
    CHECK(test::token_select(ctx, equal, tokens, top, 0) == expected);
  });
}

TEST(equal_importances_keep_the_lower_indices) {
  test::for_each_context([](test::Context& ctx) {
    CHECK((test::token_select(ctx, std::vector<float>(6, 1.0f), {6}, {3}, 0) == Indices{0, 1, 2}));
    CHECK((test::token_select(ctx, std::vector<float>(10, 1.0f), {10}, {3}, 4) == Indices{0, 1, 2, 3, 7}));
  });
}

TEST(keeping_all_keeps_all) {
  test::for_each_context([](test::Context& ctx) {
    std::vector<float> importance(50);
    test::Random random(2);
    for (float& x : importance) x = random.normal();
    Indices all(50);
    std::iota(all.begin(), all.end(), 0);
    CHECK(test::token_select(ctx, importance, {50}, {50}, 0) == all);
    CHECK(test::token_select(ctx, importance, {50}, {50}, 4) == all);
    CHECK(test::token_select(ctx, importance, {50}, {7}, 1) == all);
  });
}

TEST(images_are_packed_one_after_the_other) {
  test::for_each_context([](test::Context& ctx) {
    const std::vector<float> importance = {3, 1, 2, 5, 0, 9, 8, 7};
    CHECK((test::token_select(ctx, importance, {3, 1, 4}, {1, 1, 2}, 2) == Indices{0, 1, 0, 0, 1, 2}));
    CHECK((test::token_select(ctx, importance, {3, 1, 4}, {0, 0, 3}, 0) == Indices{1, 2, 3}));
  });
}
