#include "reference/layer_norm.hpp"
#include "test_util.hpp"

namespace {

void run(test::Context& ctx, int64_t rows, int64_t cols, int64_t pad, int32_t dtype, bool in_place,
         float shift) {
  test::Random random(static_cast<uint64_t>(rows * 1000 + cols));
  const int64_t ld = cols + pad;
  test::Array x(rows * ld, dtype), y(rows * ld, dtype), weight(cols, TOPV_F32), bias(cols, TOPV_F32);
  x.fill(random, rows, cols, ld);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) x.set(i * ld + j, x.get(i * ld + j) + shift);
  }
  weight.fill(random, 1, cols, cols);
  bias.fill(random, 1, cols, cols);
  topv_layer_norm_params p = {};
  p.x = x.data();
  p.weight = static_cast<const float*>(weight.data());
  p.bias = static_cast<const float*>(bias.data());
  p.rows = rows;
  p.cols = cols;
  p.ldx = p.ldy = ld;
  p.eps = 1e-5f;
  p.dtype = dtype;
  const reference::LayerNorm expected = reference::layer_norm(p);
  p.y = in_place ? x.data() : y.data();
  ctx.layer_norm(p);
  const test::Array& result = in_place ? x : y;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const size_t at = static_cast<size_t>(i * cols + j);
      // Two sums of cols terms in at least eight partial sums, and five operations on the result.
      const double steps = 6 + static_cast<double>(cols) / 64;
      CLOSE(result.get(i * ld + j), expected.y[at],
            reference::allowed(expected.y[at], expected.terms[at], steps, dtype),
            "cols " + std::to_string(cols));
    }
  }
  PADDING_UNTOUCHED(result, rows, cols, ld);
}

}  // namespace

TEST(agrees_with_the_reference) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int64_t cols : test::few({1, 2, 7, 8, 15, 16, 17, 31, 33, 192, 257, 1024})) {
        for (const int64_t rows : {0, 1, 3, 130}) {
          run(ctx, rows, cols, 0, dtype, false, 0);
          run(ctx, rows, cols, 5, dtype, false, 4);
          run(ctx, rows, cols, 3, dtype, true, 0);
        }
      }
    }
  });
}

TEST(rows_longer_than_registers) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int64_t cols : test::few({4096, 4100, 8192, 8200, 16391})) {
        run(ctx, 2, cols, 0, dtype, false, 0);
        run(ctx, 2, cols, 8, dtype, true, 4);
      }
    }
  });
}

TEST(the_variance_does_not_cancel_far_from_zero) {
  test::for_each_context([](test::Context& ctx) { run(ctx, 2, 192, 0, TOPV_F32, false, 1000); });
}

TEST(threads_share_many_rows) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) run(ctx, 4001, 33, 2, dtype, false, 0);
  });
}
