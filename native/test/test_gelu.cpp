#include "reference/gelu.hpp"
#include "test_util.hpp"

namespace {

constexpr int32_t kActivations[] = {TOPV_ACTIVATION_GELU, TOPV_ACTIVATION_GELU_TANH,
                                    TOPV_ACTIVATION_QUICK_GELU};

/// The argument of the exponential is good to an ulp of itself, which the exponential multiplies.
double steps(double x, int32_t activation) {
  const double argument = activation == TOPV_ACTIVATION_GELU        ? x * x / 2
                          : activation == TOPV_ACTIVATION_GELU_TANH ? 1.6 * std::fabs(x + 0.0447 * x * x * x)
                                                                    : 1.702 * std::fabs(x);
  return x < 0 ? 12 + 4 * argument : 12;
}

void run(test::Context& ctx, int64_t rows, int64_t cols, int64_t pad, int32_t dtype, int32_t activation,
         bool in_place) {
  test::Random random(static_cast<uint64_t>(rows * 1000 + cols));
  const int64_t ld = cols + pad;
  test::Array x(rows * ld, dtype), y(rows * ld, dtype);
  x.fill(random, rows, cols, ld, 2);
  const test::Array input = x;
  topv_gelu_params p = {};
  p.x = x.data();
  p.y = in_place ? x.data() : y.data();
  p.rows = rows;
  p.cols = cols;
  p.ldx = p.ldy = ld;
  p.activation = activation;
  p.dtype = dtype;
  const std::vector<double> expected = reference::gelu(p);
  ctx.gelu(p);
  const test::Array& result = in_place ? x : y;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const double e = expected[static_cast<size_t>(i * cols + j)];
      const double allowed =
          reference::allowed(e, e, steps(static_cast<double>(input.get(i * ld + j)), activation), dtype);
      CLOSE(result.get(i * ld + j), e, allowed, "activation " + std::to_string(activation));
    }
  }
  PADDING_UNTOUCHED(result, rows, cols, ld);
}

}  // namespace

TEST(agrees_with_the_reference) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t activation : kActivations) {
      for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
        for (const int64_t cols : test::few({1, 2, 7, 8, 15, 16, 17, 33, 257})) {
          for (const int64_t rows : {0, 1, 3, 130}) {
            run(ctx, rows, cols, 0, dtype, activation, false);
            run(ctx, rows, cols, 3, dtype, activation, true);
          }
        }
      }
    }
  });
}

TEST(keeps_its_relative_precision_in_the_tails) {
  test::for_each_context([](test::Context& ctx) {
    std::vector<float> x, y;
    for (int i = -1200; i <= 1200; ++i) x.push_back(static_cast<float>(i) / 100);
    for (const int32_t activation : kActivations) {
      y.assign(x.size(), std::numeric_limits<float>::quiet_NaN());
      topv_gelu_params p = {};
      p.x = x.data();
      p.y = y.data();
      p.rows = 1;
      p.cols = p.ldx = p.ldy = static_cast<int64_t>(x.size());
      p.activation = activation;
      ctx.gelu(p);
      for (size_t i = 0; i < x.size(); ++i) {
        const double at = static_cast<double>(x[i]), e = reference::gelu(at, activation);
        // Below 1e-36 results are on their way to the subnormal numbers.
        CLOSE(y[i], e, std::fmax(reference::allowed(e, e, steps(at, activation), TOPV_F32), 1e-36),
              "x " + std::to_string(x[i]));
      }
    }
  });
}

TEST(threads_share_many_rows) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16})
      run(ctx, 4001, 33, 2, dtype, TOPV_ACTIVATION_GELU, false);
  });
}
