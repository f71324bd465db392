#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void token_select(Team&, const topv_token_select_params&) {
  fail(TOPV_UNSUPPORTED, "token_select: not written yet");
}

}  // namespace topv::cpu::TOPV_ISA
