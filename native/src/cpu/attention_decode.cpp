#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void attention_decode(Team&, const topv_attention_params&) {
  fail(TOPV_UNSUPPORTED, "attention_decode: not written yet");
}

}  // namespace topv::cpu::TOPV_ISA
