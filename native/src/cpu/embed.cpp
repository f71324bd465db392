#include "cpu/convert_row.hpp"
#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {

void embed(Team& team, const topv_embed_params& p) {
  for (int64_t t = 0; t < p.tokens; ++t) {
    if (p.ids[t] < 0 || p.ids[t] >= p.vocab) {
      fail(TOPV_INVALID_ARGUMENT, "embed: ids[%lld] = %d is not in [0, vocab = %lld)",
           static_cast<long long>(t), p.ids[t], static_cast<long long>(p.vocab));
    }
  }
  with_types(p.table_dtype, p.dtype, [&](auto from, auto to) {
    const auto* table = static_cast<const decltype(from)*>(p.table);
    auto* y = static_cast<decltype(to)*>(p.y);
    parallel_for(team, p.tokens, 1 + 32768 / p.cols, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t) convert_row(table + p.ids[t] * p.cols, y + t * p.ldy, p.cols);
    });
  });
}

}  // namespace topv::cpu::TOPV_ISA
