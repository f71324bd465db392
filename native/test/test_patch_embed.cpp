#include "test_util.hpp"

namespace {

struct Problem {
  int32_t batch, height, width, patch;
  int64_t cols;
  int32_t dtype;
  bool bias, cls;
};

void run(test::Context& ctx, const Problem& p) {
  test::Random random(static_cast<uint64_t>(p.height + p.cols));
  const int64_t k = int64_t{3} * p.patch * p.patch, grid_w = p.width / p.patch,
                patches = p.height / p.patch * grid_w;
  const int64_t rows = patches + (p.cls ? 1 : 0), image = int64_t{3} * p.height * p.width;
  test::Array pixels(p.batch * image, TOPV_F32), w(p.cols * k, p.dtype), bias(p.cols, TOPV_F32),
      cls(p.cols, TOPV_F32);
  test::Array position(rows * p.cols, TOPV_F32), y(p.batch * rows * p.cols, p.dtype);
  pixels.fill(random, 1, pixels.count(), pixels.count());
  w.fill(random, p.cols, k, k);
  bias.fill(random, 1, p.cols, p.cols);
  cls.fill(random, 1, p.cols, p.cols);
  position.fill(random, rows, p.cols, p.cols);
  const auto dtype = static_cast<topv_dtype>(p.dtype);
  const topv::Weight weight = ctx.weight(w.data(), p.cols, k, dtype, dtype);
  topv_patch_embed_params params = {};
  params.pixels = static_cast<const float*>(pixels.data());
  params.w = weight.get();
  params.bias = p.bias ? static_cast<const float*>(bias.data()) : nullptr;
  params.cls = p.cls ? static_cast<const float*>(cls.data()) : nullptr;
  params.position = static_cast<const float*>(position.data());
  params.y = y.data();
  params.batch = p.batch;
  params.height = p.height;
  params.width = p.width;
  params.patch = p.patch;
  params.dtype = p.dtype;
  ctx.patch_embed(params);

  for (int64_t b = 0; b < p.batch; ++b) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t j = 0; j < p.cols; ++j) {
        const int64_t at = r - (p.cls ? 1 : 0);
        double sum = 0, size = 0;
        for (int64_t i = 0; at >= 0 && i < k; ++i) {
          const int64_t channel = i / (p.patch * p.patch), dy = i / p.patch % p.patch, dx = i % p.patch;
          const int64_t line = at / grid_w * p.patch + dy, column = at % grid_w * p.patch + dx;
          float pixel = pixels.get(b * image + (channel * p.height + line) * p.width + column);
          if (p.dtype == TOPV_BF16) pixel = test::from_bf16(test::to_bf16(pixel));
          const double product = static_cast<double>(pixel) * w.get(j * k + i);
          sum += product;
          size += std::fabs(product);
        }
        double expected = position.get(r * p.cols + j) + (at < 0 ? cls.get(j) : sum);
        if (at >= 0 && p.bias) expected += bias.get(j);
        // As for gemm; position and bias are added in float32, then one rounding.
        const double tolerance = (4 + std::sqrt(static_cast<double>(k))) * test::ulp(size, TOPV_F32) +
                                 4 * test::ulp(std::fabs(expected) + 4, TOPV_F32) +
                                 0.51 * test::ulp(expected, p.dtype);
        CLOSE(y.get((b * rows + r) * p.cols + j), expected, tolerance, "y");
      }
    }
  }
}

}  // namespace

TEST(shapes) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const bool cls : {false, true}) {
        for (const bool bias : {false, true}) {
          run(ctx, {1, 14, 14, 14, 24, dtype, bias, cls});  // one patch
          run(ctx, {2, 28, 42, 14, 33, dtype, bias, cls});  // two images, not square
          run(ctx, {3, 15, 10, 5, 17, dtype, bias, cls});   // odd patch
          run(ctx, {1, 6, 4, 1, 7, dtype, bias, cls});      // patches of one pixel
          run(ctx, {1, 64, 48, 16, 40, dtype, bias, cls});
          run(ctx, {0, 28, 28, 14, 8, dtype, bias, cls});
        }
      }
    }
  });
}

TEST(refusals) {
  test::for_each_context([](test::Context& ctx) {
    std::vector<float> w(4 * 12), pixels(3 * 4 * 4), position(5 * 4), y(5 * 4, 7.0f);
    const topv::Weight weight = ctx.weight(w.data(), 4, 12, TOPV_F32, TOPV_F32);
    topv_patch_embed_params good = {};
    good.pixels = pixels.data();
    good.w = weight.get();
    good.position = position.data();
    good.y = y.data();
    good.batch = 1;
    good.height = good.width = 4;
    good.patch = 2;
    const auto with = [&](auto change, const char* words) {
      topv_patch_embed_params p = good;
      change(p);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.patch_embed(p), words);
      CHECK(y[0] == 7);
    };
    with([](auto& p) { p.w = nullptr; }, "patch_embed: w is NULL");
    with([](auto& p) { p.pixels = nullptr; }, "patch_embed: pixels is NULL");
    with([](auto& p) { p.position = nullptr; }, "patch_embed: position is NULL");
    with([](auto& p) { p.y = nullptr; }, "patch_embed: y is NULL");
    with([](auto& p) { p.batch = -1; }, "patch_embed: batch = -1 is below 0");
    with([](auto& p) { p.height = 5; }, "patch_embed: height = 5 is not a multiple of patch = 2");
    with([](auto& p) { p.width = 3; }, "patch_embed: width = 3 is not a multiple of patch = 2");
    with([](auto& p) { p.height = 0; }, "patch_embed: height = 0 is below patch = 2");
    with([](auto& p) { p.patch = 0; }, "patch_embed: patch = 0 is not in 1 .. 4096");
    with([](auto& p) { p.patch = 1; }, "patch_embed: w has k = 12, but 3 * patch * patch = 3");
    with([](auto& p) { p.dtype = TOPV_BF16; }, "patch_embed: dtype = 2 is not the weight's compute = 0");
    ctx.patch_embed(good);
    CHECK(y[0] == 0);
  });
}
