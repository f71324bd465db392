#include "test_util.hpp"

TEST(sizes) {
  test::for_each_context([](test::Context& ctx) {
    const int64_t pads[][2] = {
        {5, 2}, {0, 0}, {32, 16}, {4, 12}, {2, 6}};  // whole units of 1, 16, 4, 2 bytes
    for (const int64_t row_bytes : {1, 2, 13, 64, 129, 16384}) {
      for (const auto& [src_pad, dst_pad] : pads) {
        for (const int64_t count : {0, 1, 2, 17, 50}) {
          const int64_t src_rows = 23, src_stride = row_bytes + src_pad, dst_stride = row_bytes + dst_pad;
          std::vector<uint8_t> src(static_cast<size_t>(src_rows * src_stride)),
              dst(static_cast<size_t>(count * dst_stride), 0xee);
          for (size_t i = 0; i < src.size(); ++i) src[i] = static_cast<uint8_t>(i * 37 % 229);
          std::vector<int32_t> index;
          for (int64_t i = 0; i < count; ++i) index.push_back(static_cast<int32_t>(i * 7 % src_rows));
          ctx.rows_gather(
              {src.data(), dst.data(), index.data(), count, src_rows, row_bytes, src_stride, dst_stride});
          bool same = true;
          for (int64_t i = 0; i < count * dst_stride; ++i) {
            const int64_t row = i / dst_stride, byte = i % dst_stride;
            const uint8_t expected =
                byte < row_bytes
                    ? src[static_cast<size_t>(index[static_cast<size_t>(row)] * src_stride + byte)]
                    : 0xee;
            same = same && dst[static_cast<size_t>(i)] == expected;
          }
          CHECK(same);
        }
      }
    }
  });
}

TEST(refusals) {
  test::for_each_context([](test::Context& ctx) {
    const char src[16] = {};
    char dst[16] = {7};
    int32_t index[2] = {0, 1};
    const topv_rows_gather_params good = {src, dst, index, 2, 2, 8, 8, 8};
    const auto with = [&](auto change, const char* words) {
      topv_rows_gather_params p = good;
      change(p);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.rows_gather(p), words);
      if (test::device_backend() == nullptr) CHECK(dst[0] == 7);
    };
    with([](auto& p) { p.count = -2; }, "rows_gather: count = -2 is below 0");
    with([](auto& p) { p.src_rows = -1; }, "rows_gather: src_rows = -1 is below 0");
    with([](auto& p) { p.row_bytes = 0; }, "rows_gather: row_bytes = 0 is below 1");
    with([](auto& p) { p.src_stride_bytes = 7; }, "rows_gather: src_stride_bytes = 7 is below row_bytes = 8");
    with([](auto& p) { p.dst_stride_bytes = 7; }, "rows_gather: dst_stride_bytes = 7 is below row_bytes = 8");
    with([](auto& p) { p.src = nullptr; }, "rows_gather: src is NULL");
    with([](auto& p) { p.dst = nullptr; }, "rows_gather: dst is NULL");
    with([](auto& p) { p.index = nullptr; }, "rows_gather: index is NULL");
    with([](auto& p) { p.count = int64_t{1} << 60; }, "rows_gather: dst: 1152921504606846976 x 8");
    for (const int32_t bad : {2, -1}) {
      index[1] = bad;
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.rows_gather(good), "rows_gather: index[1] = " + std::to_string(bad));
      if (test::writes_nothing_when_refused()) CHECK(dst[0] == 7);
    }
  });
}
