#include <cstring>

#include "cpu/convert_row.hpp"
#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {

void convert(Team& team, const ConvertParams& p) {
  with_types(p.src_dtype, p.dst_dtype, [&](auto from, auto to) {
    const auto* src = static_cast<const decltype(from)*>(p.src);
    auto* dst = static_cast<decltype(to)*>(p.dst);
    parallel_for(team, p.rows, 1 + 32768 / p.cols, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) {
        auto* row = dst + i * p.ld_dst;
        convert_row(src + i * p.ld_src, row, p.cols);
        std::memset(row + p.cols, 0, static_cast<size_t>(p.dst_cols - p.cols) * sizeof *row);
      }
    });
  });
}

}  // namespace topv::cpu::TOPV_ISA
