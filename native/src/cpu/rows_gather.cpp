#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void rows_gather(Team&, const topv_rows_gather_params&) {
  fail(TOPV_UNSUPPORTED, "rows_gather: not written yet");
}

}  // namespace topv::cpu::TOPV_ISA
