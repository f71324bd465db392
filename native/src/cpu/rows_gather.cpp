#include <cstring>

#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {

void rows_gather(Team& team, const topv_rows_gather_params& p) {
  for (int64_t i = 0; i < p.count; ++i) {
    if (p.index[i] < 0 || p.index[i] >= p.src_rows) {
      fail(TOPV_INVALID_ARGUMENT, "rows_gather: index[%lld] = %d is not in [0, src_rows = %lld)",
           static_cast<long long>(i), p.index[i], static_cast<long long>(p.src_rows));
    }
  }
  const auto* src = static_cast<const char*>(p.src);
  auto* dst = static_cast<char*>(p.dst);
  parallel_for(team, p.count, 1 + 65536 / p.row_bytes, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      std::memcpy(dst + i * p.dst_stride_bytes, src + p.index[i] * p.src_stride_bytes,
                  static_cast<size_t>(p.row_bytes));
    }
  });
}

}  // namespace topv::cpu::TOPV_ISA
