#include "reference/gemm.hpp"
#include "test_util.hpp"

namespace {

struct Problem {
  int64_t m, n, k;
  int64_t pad_a = 0, pad_c = 0;
  int32_t stored = TOPV_F32, compute = TOPV_F32, c_dtype = TOPV_F32;
  int32_t activation = TOPV_ACTIVATION_NONE;
  bool bias = false, accumulate = false;
  std::vector<int64_t> parts = {};  ///< rows of each; empty = one part
};

std::string name_of(const Problem& p) {
  return "m " + std::to_string(p.m) + " n " + std::to_string(p.n) + " k " + std::to_string(p.k) + " stored " +
         std::to_string(p.stored) + " compute " + std::to_string(p.compute) + " c " +
         std::to_string(p.c_dtype) + " act " + std::to_string(p.activation) + (p.bias ? " bias" : "") +
         (p.accumulate ? " accumulate" : "");
}

void set_stored(test::Array& array, int64_t i, float value) {
  // Few significant bits, so that F16 and BF16 hold the value exactly.
  const float coarse = std::round(value * 16) / 16;
  if (array.dtype() != TOPV_F16) return array.set(i, coarse);
  auto* bits = static_cast<uint16_t*>(array.data()) + i;
  int exponent = 0;
  const float fraction = std::frexp(std::fabs(coarse), &exponent);
  const int magnitude = coarse == 0 ? 0 : (exponent + 14) << 10 | (static_cast<int>(fraction * 2048) & 1023);
  *bits = static_cast<uint16_t>(magnitude | (std::signbit(coarse) ? 0x8000 : 0));
}

void run(test::Context& ctx, const Problem& p) {
  test::Random random(static_cast<uint64_t>(p.m * 31 + p.n * 7 + p.k));
  const int64_t lda = p.k + p.pad_a, ldc = p.n + p.pad_c;
  test::Array a(p.m * lda, p.compute), c(p.m * ldc, p.c_dtype), bias(p.n, TOPV_F32);
  a.fill(random, p.m, p.k, lda);
  bias.fill(random, 1, p.n, p.n);
  if (p.accumulate) c.fill(random, p.m, p.n, ldc);
  const test::Array old = c;

  std::vector<test::Array> parts;
  topv_weight_params wp = {};
  std::vector<float> w;
  const std::vector<int64_t> rows = p.parts.empty() ? std::vector<int64_t>{p.n} : p.parts;
  for (const int64_t count : rows) {
    parts.emplace_back(count * p.k, p.stored);
    for (int64_t i = 0; i < count * p.k; ++i) {
      set_stored(parts.back(), i, random.normal());
      w.push_back(parts.back().get(i));
    }
    wp.rows[wp.part_count++] = count;
  }
  for (size_t i = 0; i < parts.size(); ++i) wp.parts[i] = parts[i].data();
  wp.dtype = p.stored;
  wp.compute = p.compute;
  wp.k = p.k;
  wp.on_device = (p.m + p.n + p.k) % 2;  // what arrays have is memory of both
  const topv::Weight weight = ctx.weight(wp);

  topv_gemm_params gp = {};
  gp.a = a.data();
  gp.w = weight.get();
  gp.bias = p.bias ? static_cast<const float*>(bias.data()) : nullptr;
  gp.c = c.data();
  gp.m = p.m;
  gp.lda = lda;
  gp.ldc = ldc;
  gp.c_dtype = p.c_dtype;
  gp.activation = p.activation;
  gp.accumulate = p.accumulate;
  ctx.gemm(gp);

  const std::string name = name_of(p);
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < p.n; ++j) {
      double size = 0;
      double x = reference::dot(
          p.k, [&](int64_t at) { return a.get(i * lda + at); },
          [&](int64_t at) { return w[static_cast<size_t>(j * p.k + at)]; }, &size);
      if (p.bias) x += bias.get(j);
      const double before = p.accumulate ? old.get(i * ldc + j) : 0;
      const double expected = reference::activate(x, p.activation) + before;
      // The sum's rounding grows at worst with k, in practice with its root; activations have slopes of at
      // most 1.13 and are good to 4 ulp of their argument; the result is rounded once, the sum with the old c
      // perhaps once more.
      const double sum_error = (4 + std::sqrt(static_cast<double>(p.k))) * test::ulp(size, TOPV_F32) / 2;
      const double tolerance = 1.2 * sum_error + 8 * test::ulp(std::fabs(x) + 1, TOPV_F32) +
                               0.51 * test::ulp(std::fabs(expected), p.c_dtype) +
                               2 * test::ulp(std::fabs(before), TOPV_F32);
      CLOSE(c.get(i * ldc + j), expected, tolerance, name);
    }
  }
  PADDING_UNTOUCHED(c, p.m, p.n, ldc);
}

}  // namespace

TEST(sizes) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int64_t m : test::few({0, 1, 2, 3, 4, 5, 7, 16, 17, 33, 65})) {
        for (const int64_t n : test::few({1, 15, 16, 17, 64, 67, 130})) {
          for (const int64_t k : test::few({1, 2, 7, 31, 32, 33, 64, 96, 127, 129, 588})) {
            if (m > 7 && n < 64 && k > 33) continue;  // nothing new
            Problem p = {m, n, k};
            p.stored = p.compute = dtype;
            p.pad_a = (m + k) % 3;
            p.pad_c = (n + k) % 4;
            run(ctx, p);
          }
        }
      }
    }
  });
}

TEST(epilogues) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int32_t c_dtype : {TOPV_F32, TOPV_BF16}) {
        if (dtype == TOPV_F32 && c_dtype != TOPV_F32) continue;
        for (int32_t activation = TOPV_ACTIVATION_NONE; activation <= TOPV_ACTIVATION_QUICK_GELU;
             ++activation) {
          for (const bool bias : {false, true}) {
            for (const bool accumulate : {false, true}) {
              for (const int64_t m : {1, 3, 19}) {
                Problem p = {m, 83, 45};
                p.pad_a = 5;
                p.pad_c = 3;
                p.stored = p.compute = dtype;
                p.c_dtype = c_dtype;
                p.activation = activation;
                p.bias = bias;
                p.accumulate = accumulate;
                run(ctx, p);
              }
            }
          }
        }
      }
    }
  });
}

TEST(parts_and_dtypes) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t stored : {TOPV_F32, TOPV_F16, TOPV_BF16}) {
      for (const int32_t compute : {TOPV_F32, TOPV_BF16}) {
        for (const int64_t m : {1, 2, 21}) {
          Problem p = {m, 203, 77};
          p.stored = stored;
          p.compute = compute;
          p.c_dtype = compute;
          p.parts = {130, 1, 65, 7};
          p.bias = true;
          run(ctx, p);
        }
      }
    }
  });
}

TEST(few_rows_over_threads) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
      for (const int64_t m : {1, 2, 3, 4}) {
        Problem p = {m, 515, 1031};  // large enough for two threads
        p.stored = p.compute = dtype;
        p.pad_a = 2;
        p.pad_c = 5;
        p.parts = {200, 3, 301, 11};
        run(ctx, p);
      }
    }
  });
}

TEST(threads_do_not_change_few_rows) {
  const auto body = [](test::Context& one, test::Context& three) {
    const int64_t n = 1001, k = 1031, most = 4;
    test::Random random(11);
    test::Array w(n * k, TOPV_BF16), a(most * k, TOPV_BF16);
    w.fill(random, n, k, k);
    a.fill(random, most, k, k);
    for (int64_t m = 1; m <= most; ++m) {
      test::Array x(m * n, TOPV_F32), y(m * n, TOPV_F32);
      const topv::Weight in_one = one.weight(w.data(), n, k, TOPV_BF16, TOPV_BF16);
      const topv::Weight in_three = three.weight(w.data(), n, k, TOPV_BF16, TOPV_BF16);
      one.gemm({a.data(), in_one.get(), nullptr, x.data(), m, k, n, TOPV_F32, TOPV_ACTIVATION_NONE, 0});
      three.gemm({a.data(), in_three.get(), nullptr, y.data(), m, k, n, TOPV_F32, TOPV_ACTIVATION_NONE, 0});
      CHECK(x == y);
    }
  };
  test::for_each_pair(body, 3);
}

TEST(one_weight_serves_all_sizes) {
  test::for_each_context([](test::Context& ctx) {
    const int64_t n = 96, k = 64, most = 40;
    test::Random random(5);
    test::Array w(n * k, TOPV_BF16), a(most * k, TOPV_BF16);
    w.fill(random, n, k, k);
    a.fill(random, most, k, k);
    const topv::Weight weight = ctx.weight(w.data(), n, k, TOPV_BF16, TOPV_BF16);
    for (const int64_t m : test::few({40, 1, 5, 40, 39, 2})) {
      test::Array c(m * n, TOPV_F32);
      topv_gemm_params p = {a.data(), weight.get(),         nullptr, c.data(), m, k, n,
                            TOPV_F32, TOPV_ACTIVATION_NONE, 0};
      ctx.gemm(p);
      for (int64_t i = 0; i < m * n; ++i) {
        double size = 0;
        const double expected = reference::dot(
            k, [&](int64_t at) { return a.get(i / n * k + at); },
            [&](int64_t at) { return w.get(i % n * k + at); }, &size);
        CLOSE(c.get(i), expected, 6 * test::ulp(size, TOPV_F32), "m " + std::to_string(m));
      }
    }
  });
}

TEST(nan_and_infinity_pass_through) {
  test::for_each_context([](test::Context& ctx) {
    const int64_t n = 33, k = 40;
    for (const int64_t m : {1, 9}) {
      std::vector<float> w(n * k, 1.0f), a(static_cast<size_t>(m * k), 1.0f), c(static_cast<size_t>(m * n));
      a[3] = std::numeric_limits<float>::quiet_NaN();
      const topv::Weight weight = ctx.weight(w.data(), n, k, TOPV_F32, TOPV_F32);
      for (int32_t activation = TOPV_ACTIVATION_NONE; activation <= TOPV_ACTIVATION_QUICK_GELU;
           ++activation) {
        ctx.gemm({a.data(), weight.get(), nullptr, c.data(), m, k, n, TOPV_F32, activation, 0});
        for (int64_t j = 0; j < n; ++j) CHECK(std::isnan(c[static_cast<size_t>(j)]));
        if (m > 1) CHECK(std::fabs(c[static_cast<size_t>(n)] - 40.0f) < 1e-4f);
      }
    }
  });
}

TEST(refusals) {
  test::for_each_context([](test::Context& ctx) {
    float w[32] = {}, a[8] = {}, c[8];
    for (float& x : c) x = 7;
    const topv::Weight weight = ctx.weight(w, 4, 8, TOPV_F32, TOPV_F32);
    const topv_gemm_params good = {a, weight.get(), nullptr, c, 1, 8, 4, TOPV_F32, TOPV_ACTIVATION_NONE, 0};
    const auto with = [&](auto change, std::vector<std::string> words) {
      topv_gemm_params p = good;
      change(p);
      test::refused(
          __FILE__, __LINE__, TOPV_INVALID_ARGUMENT, [&] { ctx.gemm(p); }, words);
      CHECK(c[0] == 7);
    };
    with([](auto& p) { p.a = nullptr; }, {"gemm: a is NULL"});
    with([](auto& p) { p.c = nullptr; }, {"gemm: c is NULL"});
    with([](auto& p) { p.w = nullptr; }, {"gemm: w is NULL"});
    with([](auto& p) { p.m = -1; }, {"gemm: m = -1 is below 0"});
    with([](auto& p) { p.lda = 3; }, {"gemm: lda = 3 is below k = 8"});
    with([](auto& p) { p.ldc = 3; }, {"gemm: ldc = 3 is below n = 4"});
    with([](auto& p) { p.m = INT64_MAX; }, {"gemm: a:", "9223372036854775807"});
    with([](auto& p) { p.c_dtype = TOPV_BF16; }, {"gemm: c_dtype = 2"});
    with([](auto& p) { p.c_dtype = 9; }, {"gemm: c_dtype = 9"});
    with([](auto& p) { p.activation = 4; }, {"gemm: activation = 4"});
    with([](auto& p) { p.accumulate = 2; }, {"gemm: accumulate = 2"});
    const topv::Context other(test::device_backend() != nullptr ? test::device_backend() : "cpu", 1);
    test::refused(__FILE__, __LINE__, TOPV_INVALID_ARGUMENT, [&] { other.gemm(good); },
                  {"gemm: w belongs to another context"});

    topv_weight_params wp = {};
    wp.parts[0] = w;
    wp.rows[0] = 4;
    wp.part_count = 1;
    wp.k = 8;
    const auto weight_with = [&](auto change, std::vector<std::string> words) {
      topv_weight_params p = wp;
      change(p);
      test::refused(
          __FILE__, __LINE__, TOPV_INVALID_ARGUMENT, [&] { ctx.weight(p); }, words);
    };
    weight_with([](auto& p) { p.part_count = 0; }, {"weight_create: part_count = 0"});
    weight_with([](auto& p) { p.part_count = 5; }, {"weight_create: part_count = 5"});
    weight_with([](auto& p) { p.part_count = 2; }, {"weight_create: parts[1] is NULL"});
    weight_with([](auto& p) { p.rows[0] = 0; }, {"weight_create: rows[0] = 0"});
    weight_with([](auto& p) { p.k = 0; }, {"weight_create: k = 0"});
    weight_with([](auto& p) { p.dtype = TOPV_I32; }, {"weight_create: dtype = 3"});
    weight_with([](auto& p) { p.compute = TOPV_F16; }, {"weight_create: compute = 1"});
    weight_with([](auto& p) { p.rows[0] = INT64_MAX / 4; }, {"weight_create"});
    weight_with([](auto& p) { p.on_device = 2; }, {"weight_create: on_device = 2"});
    ctx.gemm(good);
    CHECK(std::string(topv_error_message(ctx.get())).empty());
  });
}
