#include "test_util.hpp"

namespace {

/// A table whose values every dtype holds exactly.
test::Array table_of(int32_t dtype, int64_t rows, int64_t cols) {
  test::Array table(rows * cols, dtype);
  for (int64_t i = 0; i < rows * cols; ++i) {
    const float value = static_cast<float>(i % 61 - 30) / 4;
    if (dtype != TOPV_F16) {
      table.set(i, value);
      continue;
    }
    int exponent = 0;
    const float fraction = std::frexp(std::fabs(value), &exponent);
    const int magnitude = value == 0 ? 0 : (exponent + 14) << 10 | (static_cast<int>(fraction * 2048) & 1023);
    static_cast<uint16_t*>(table.data())[i] = static_cast<uint16_t>(magnitude | (value < 0 ? 0x8000 : 0));
  }
  return table;
}

}  // namespace

TEST(every_dtype_and_size) {
  test::for_each_context([](test::Context& ctx) {
    for (const int32_t table_dtype : {TOPV_F32, TOPV_F16, TOPV_BF16}) {
      for (const int32_t dtype : {TOPV_F32, TOPV_BF16}) {
        for (const int64_t cols : test::few({1, 7, 8, 15, 16, 17, 33, 4099})) {
          for (const int64_t tokens : {0, 1, 5, 33}) {
            const int64_t vocab = 37, ldy = cols + 3;
            const test::Array table = table_of(table_dtype, vocab, cols);
            std::vector<int32_t> ids;
            for (int64_t t = 0; t < tokens; ++t) ids.push_back(static_cast<int32_t>(t * 11 % vocab));
            test::Array y(tokens * ldy, dtype);
            ctx.embed({ids.data(), table.data(), y.data(), tokens, vocab, cols, ldy, table_dtype, dtype});
            for (int64_t i = 0; i < tokens * cols; ++i) {
              // Exact: the values have few bits.
              CLOSE(y.get(i / cols * ldy + i % cols),
                    table.get(ids[static_cast<size_t>(i / cols)] * cols + i % cols), 0, "y");
            }
            PADDING_UNTOUCHED(y, tokens, cols, ldy);
          }
        }
      }
    }
  });
}

TEST(bfloat16_is_rounded_to_nearest_even) {
  test::for_each_context([](test::Context& ctx) {
    const int64_t cols = 19;
    const float ulp = 0.0078125f;  // of bfloat16 at 1
    std::vector<float> table(cols, 1 + ulp / 2);
    table[1] = 1 + 3 * ulp / 2;
    table[2] = 1 + 3 * ulp / 2 - 1e-6f;
    table[3] = -1 - 3 * ulp / 2;
    table[4] = std::numeric_limits<float>::infinity();
    table[5] = std::numeric_limits<float>::quiet_NaN();
    table[18] = std::numeric_limits<float>::max();
    test::Array y(cols, TOPV_BF16);
    const int32_t id = 0;
    ctx.embed({&id, table.data(), y.data(), 1, 1, cols, cols, TOPV_F32, TOPV_BF16});
    CHECK(y.get(0) == 1);
    CHECK(y.get(1) == 1 + 2 * ulp);
    CHECK(y.get(2) == 1 + ulp);
    CHECK(y.get(3) == -1 - 2 * ulp);
    CHECK(std::isinf(y.get(4)));
    CHECK(std::isnan(y.get(5)));
    CHECK(std::isinf(y.get(18)));
  });
}

TEST(more_tokens_than_a_grid_has_rows) {
  test::for_each_context([](test::Context& ctx) {
    const int64_t cols = 129, tokens = 65540, vocab = 3;  // a block per token
    const test::Array table = table_of(TOPV_F32, vocab, cols);
    std::vector<int32_t> ids;
    for (int64_t t = 0; t < tokens; ++t) ids.push_back(static_cast<int32_t>(t % vocab));
    test::Array y(tokens * cols, TOPV_F32);
    ctx.embed({ids.data(), table.data(), y.data(), tokens, vocab, cols, cols, TOPV_F32, TOPV_F32});
    bool same = true;
    for (int64_t i = 0; i < tokens * cols; ++i) {
      same = same && y.get(i) == table.get(ids[static_cast<size_t>(i / cols)] * cols + i % cols);
    }
    CHECK(same);
  });
}

TEST(refusals) {
  test::for_each_context([](test::Context& ctx) {
    const float table[12] = {};
    float y[8] = {7, 7, 7, 7, 7, 7, 7, 7};
    int32_t ids[2] = {0, 2};
    const topv_embed_params good = {ids, table, y, 2, 3, 4, 4, TOPV_F32, TOPV_F32};
    const auto with = [&](auto change, const char* words) {
      topv_embed_params p = good;
      change(p);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.embed(p), words);
      if (test::device_backend() == nullptr) CHECK(y[0] == 7);
    };
    with([](auto& p) { p.tokens = -1; }, "embed: tokens = -1 is below 0");
    with([](auto& p) { p.vocab = 0; }, "embed: vocab = 0 is below 1");
    with([](auto& p) { p.cols = 0; }, "embed: cols = 0 is below 1");
    with([](auto& p) { p.ldy = 3; }, "embed: ldy = 3 is below cols = 4");
    with([](auto& p) { p.ids = nullptr; }, "embed: ids is NULL");
    with([](auto& p) { p.table = nullptr; }, "embed: table is NULL");
    with([](auto& p) { p.y = nullptr; }, "embed: y is NULL");
    with([](auto& p) { p.table_dtype = TOPV_I32; }, "embed: table_dtype = 3");
    with([](auto& p) { p.dtype = TOPV_F16; }, "embed: dtype = 1");
    for (const int32_t bad : {3, -1}) {
      ids[1] = bad;
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.embed(good), "embed: ids[1] = " + std::to_string(bad));
      if (test::writes_nothing_when_refused()) CHECK(y[0] == 7);
      CHECK(y[4] == 7);
    }
  });
}
