#include "reference/silu_mul.hpp"
#include "test_util.hpp"

namespace {

void run(test::Context& ctx, int64_t rows, int64_t cols, int64_t pad, int32_t dtype) {
  test::Random random(static_cast<uint64_t>(rows * 1000 + cols));
  const int64_t ldx = 2 * cols + pad, ldy = cols + pad;
  test::Array x(rows * ldx, dtype), y(rows * ldy, dtype);
  x.fill(random, rows, 2 * cols, ldx, 4);
  if (rows > 0) {  // the ends of the exponential
    x.set(0, -90);
    if (cols > 1) x.set(1, 90);
  }
  topv_silu_mul_params p = {};
  p.x = x.data();
  p.y = y.data();
  p.rows = rows;
  p.cols = cols;
  p.ldx = ldx;
  p.ldy = ldy;
  p.dtype = dtype;
  const std::vector<double> expected = reference::silu_mul(p);
  ctx.silu_mul(p);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const double e = expected[static_cast<size_t>(i * cols + j)];
      // Exponential (2), sum, quotient and two products; below 1e-36 results are on their way to subnormal numbers.
      const double allowed = std::fmax(reference::allowed(e, e, 6, dtype), 1e-36);
      CLOSE(y.get(i * ldy + j), e, allowed, "cols " + std::to_string(cols));
    }
  }
  PADDING_UNTOUCHED(y, rows, cols, ldy);
}

}  // namespace

TEST(agrees_with_the_reference) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int64_t cols : test::few({1, 2, 7, 8, 15, 16, 17, 33, 257, 1000})) {
        for (const int64_t rows : {0, 1, 3, 130}) {
          run(ctx, rows, cols, 0, dtype);
          run(ctx, rows, cols, 3, dtype);
        }
      }
    }
  });
}

TEST(threads_share_many_rows) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) run(ctx, 4001, 33, 2, dtype);
  });
}
