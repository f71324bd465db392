#include "reference/rms_norm.hpp"
#include "test_util.hpp"

namespace {

void run(test::Context& ctx, int64_t rows, int64_t cols, int64_t pad, int32_t dtype, bool in_place) {
  test::Random random(static_cast<uint64_t>(rows * 1000 + cols));
  const int64_t ld = cols + pad;
  test::Array x(rows * ld, dtype), y(rows * ld, dtype), weight(cols, TOPV_F32);
  x.fill(random, rows, cols, ld, 3);
  weight.fill(random, 1, cols, cols);
  topv_rms_norm_params p = {};
  p.x = x.data();
  p.weight = static_cast<const float*>(weight.data());
  p.rows = rows;
  p.cols = cols;
  p.ldx = p.ldy = ld;
  p.eps = 1e-5f;
  p.dtype = dtype;
  const std::vector<double> expected = reference::rms_norm(p);
  p.y = in_place ? x.data() : y.data();
  ctx.rms_norm(p);
  const test::Array& result = in_place ? x : y;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const double e = expected[static_cast<size_t>(i * cols + j)];
      // Three products, and a mean of cols squares in at least eight partial sums.
      const double steps = 4 + static_cast<double>(cols) / 64;
      CLOSE(result.get(i * ld + j), e, reference::allowed(e, e, steps, dtype),
            "cols " + std::to_string(cols));
    }
  }
  PADDING_UNTOUCHED(result, rows, cols, ld);
}

}  // namespace

TEST(agrees_with_the_reference) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int64_t cols : test::few({1, 2, 7, 8, 15, 16, 17, 31, 33, 192, 257, 2048})) {
        for (const int64_t rows : {0, 1, 3, 130}) {
          run(ctx, rows, cols, 0, dtype, false);
          run(ctx, rows, cols, 5, dtype, false);
          run(ctx, rows, cols, 3, dtype, true);
        }
      }
    }
  });
}

TEST(rows_longer_than_registers) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int64_t cols : test::few({4096, 4100, 8192, 8200, 16391})) {
        run(ctx, 2, cols, 0, dtype, false);
        run(ctx, 2, cols, 8, dtype, true);
      }
    }
  });
}

TEST(a_row_of_zeros_gives_zeros) {
  test::for_each_context([](test::Context& ctx) {
    const std::vector<float> x(9, 0.0f), weight(9, 2.0f);
    std::vector<float> y(9, 1.0f);
    topv_rms_norm_params p = {};
    p.x = x.data();
    p.weight = weight.data();
    p.y = y.data();
    p.rows = 1;
    p.cols = p.ldx = p.ldy = 9;
    p.eps = 1e-5f;
    ctx.rms_norm(p);
    for (const float value : y) CHECK(value == 0.0f);
  });
}

TEST(threads_share_many_rows) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) run(ctx, 4001, 33, 2, dtype, false);
  });
}
