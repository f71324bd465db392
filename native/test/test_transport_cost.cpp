#include "topv_case.hpp"

namespace {

void check(const test::CostCase& one, const reference::Cost& expected) {
  size_t first = 0, token = 0;
  for (size_t m = 0; m < one.tokens.size(); ++m) {
    const size_t n = static_cast<size_t>(one.tokens[m]);
    // Centring leaves rounding errors of the size of the features' spread, whose square is about the range of the
    // distances: 128 of that (tensor cores cut off 1024 columns 8 or 16 at a time), and four of the cost itself.
    const double tolerance = (128 + 4 * 2.5) * std::ldexp(1.0, -24);
    for (size_t i = 0; i < n * n; ++i)
      CLOSE(one.cost[first + i], expected.cost[first + i], tolerance, "cost");
    first += n * n;
    for (size_t i = 0; i < n; ++i, ++token) {
      const double steps = 4 + static_cast<double>(one.s.cols) / 64;
      CLOSE(one.source_norm[token], expected.source_norm[token],
            steps * reference::ulp(expected.source_norm[token], TOPV_F32), "source_norm");
      CLOSE(one.target_norm[token], expected.target_norm[token],
            steps * reference::ulp(expected.target_norm[token], TOPV_F32), "target_norm");
    }
  }
}

void run(const test::CostShape& shape, uint64_t seed) {
  test::CostCase one(shape, seed);
  const reference::Cost expected = reference::transport_cost(one.params);
  test::for_each_context([&](test::Context& ctx) {
    one.run(ctx);
    check(one, expected);
  });
}

}  // namespace

TEST(agrees_with_the_reference) {
  uint64_t seed = 0;
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
    for (const auto& grid :
         std::vector<std::pair<int, int>>{{1, 1}, {2, 1}, {1, 5}, {3, 5}, {4, 4}, {17, 1}, {11, 3}}) {
      for (const int64_t cols : test::few({1, 2, 15, 16, 31, 33, 64, 257, 300})) {
        for (const bool indexed : {false, true}) {
          if (test::small() && (!indexed || grid.second == 1)) continue;
          // One feature and few tokens: the range of the distances may be far below their size.
          if (cols < 8 && grid.first * grid.second < 8) continue;
          run({{grid.first}, {grid.second}, cols, indexed ? 3 : 0, indexed, dtype, 0}, ++seed);
        }
      }
    }
  }
}

TEST(agrees_at_full_size) {
  const int64_t cols = test::small() ? 64 : 384;
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) run({{24}, {24}, cols, 0, false, dtype, 0}, 3);
}

TEST(agrees_over_many_columns) {
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
    run({{7}, {5}, 2100, 4, true, dtype, 0}, 6);
    run({{10}, {13}, 1032, 8, true, dtype, 0}, 7);
  }
}

TEST(components_that_all_features_share_do_not_cancel) {
  // Without centring, distances would be off by 2^-24 * |S|^2: 1e4 times what is allowed here.
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
    run({{9}, {7}, 96, 0, false, dtype, 100}, 5);
    run({{9}, {7}, 96, 0, false, dtype, 3}, 5);
  }
}

TEST(tokens_that_equal_their_targets_cost_nothing) {
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
    for (const int64_t cols : {200, 1024, 2100}) {
      test::CostCase one({{6}, {7}, cols, 0, false, dtype, 0}, 8);
      one.target = one.source;
      one.params.target = one.target.data();
      one.params.beta = one.params.gamma = 0;
      const reference::Cost expected = reference::transport_cost(one.params);
      test::for_each_context([&](test::Context& ctx) {
        one.run(ctx);
        check(one, expected);
      });
    }
  }
}

TEST(several_images_of_any_grid_equal_the_images_alone) {
  for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
    test::CostCase all({{3, 1, 8}, {4, 1, 5}, 40, 0, false, dtype, 0}, 11);
    const reference::Cost expected = reference::transport_cost(all.params);
    test::for_each_context([&](test::Context& ctx) {
      all.run(ctx);
      check(all, expected);
      int64_t first = 0;
      size_t square = 0;
      for (size_t m = 0; m < 3; ++m) {
        test::CostCase one({{all.s.grid_w[m]}, {all.s.grid_h[m]}, 40, 0, false, dtype, 0}, 11);
        const int64_t bytes = first * 40 * (dtype == TOPV_F32 ? 4 : 2);
        one.params.source = static_cast<const char*>(all.source.data()) + bytes;
        one.params.target = static_cast<const char*>(all.target.data()) + bytes;
        one.run(ctx);
        for (const float value : one.cost) CHECK(value == all.cost[square++]);
        first += all.tokens[m];
      }
    });
  }
}

TEST(many_images_equal_the_images_alone) {
  // More images than one launch takes; and so many tiles that no image has help from other blocks.
  const std::pair<std::vector<int32_t>, std::vector<int32_t>> batches[] = {
      {std::vector<int32_t>(70, 3), std::vector<int32_t>(70, 2)},
      {std::vector<int32_t>(33, 14), std::vector<int32_t>(33, 14)}};
  for (const auto& [w, h] : batches) {
    const int64_t cols = w.size() > 64 ? 40 : 1030, n = int64_t{w[0]} * h[0];
    test::CostCase all({w, h, cols, 2, false, TOPV_BF16, 0}, 12);
    test::for_each_context([&, w = w, h = h](test::Context& ctx) {
      all.run(ctx);
      for (const int64_t m : {int64_t{0}, static_cast<int64_t>(w.size()) - 1}) {
        test::CostCase one({{w[0]}, {h[0]}, cols, 2, false, TOPV_BF16, 0}, 12);
        for (int64_t i = 0; i < n * (cols + 2); ++i) {
          one.source.set(i, all.source.get(m * n * (cols + 2) + i));
          one.target.set(i, all.target.get(m * n * (cols + 2) + i));
        }
        one.run(ctx);
        for (size_t i = 0; i < one.cost.size(); ++i)
          CHECK(one.cost[i] == all.cost[static_cast<size_t>(m * n * n) + i]);
        for (size_t i = 0; i < one.source_norm.size(); ++i)
          CHECK(one.source_norm[i] == all.source_norm[static_cast<size_t>(m * n) + i]);
      }
    });
  }
}

TEST(threads_change_nothing) {
  test::for_each_pair([](test::Context& single, test::Context& pair) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      test::CostCase one({{13}, {11}, 300, 0, false, dtype, 0}, 4),
          two({{13}, {11}, 300, 0, false, dtype, 0}, 4);
      one.run(single);
      two.run(pair);
      CHECK(one.cost == two.cost);
      CHECK(one.source_norm == two.source_norm);
    }
  });
}

TEST(a_batch_is_three_launches) {
  if (test::device_backend() == nullptr) return;
  test::for_each_context([](test::Context& ctx) {
    const auto launches = [&] {
      const std::string text = ctx.describe(), key = "\"launches\":";
      return std::stoi(text.substr(text.find(key) + key.size()));
    };
    test::CostCase one({{3, 1, 8}, {4, 1, 5}, 40, 0, false, TOPV_BF16, 0}, 11);
    const int before = launches();
    one.run(ctx);
    CHECK(launches() - before == 3);
  });
}

TEST(features_are_scaled_to_zero_and_one) {
  test::for_each_context([](test::Context& ctx) {
    test::CostCase one({{6}, {6}, 20, 0, false, TOPV_F32, 0}, 9);
    one.params.beta = one.params.gamma = 0;
    one.run(ctx);
    CLOSE(*std::min_element(one.cost.begin(), one.cost.end()), 0, 0, "least");
    CLOSE(*std::max_element(one.cost.begin(), one.cost.end()), 1, 1e-7, "most");
  });
}

TEST(equal_features_cost_nothing) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      test::CostCase one({{5}, {7}, 40, 0, false, dtype, 0}, 2);
      one.params.beta = one.params.gamma = 0;
      for (int64_t i = 0; i < one.total * 40; ++i) {
        one.source.set(i, one.source.get(i % 40));
        one.target.set(i, one.target.get(i % 40));
      }
      one.run(ctx);
      for (const float value : one.cost) CHECK(value == 0.0f);
    }
  });
}

TEST(a_row_outside_the_arrays_is_refused) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t bad : {-1, 2 * 6 + 3}) {
      test::CostCase one({{2}, {3}, 8, 0, true, TOPV_F32, 0}, 2);
      one.index[5] = bad;
      REFUSED(TOPV_INVALID_ARGUMENT, one.run(ctx), "transport_cost", "row_index[5]", std::to_string(bad));
      for (const float value : one.cost) CHECK(std::isnan(value) || !test::writes_nothing_when_refused());
    }
  });
}
