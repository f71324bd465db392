#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void layer_norm(Team&, const topv_layer_norm_params&) {
  fail(TOPV_UNSUPPORTED, "layer_norm: not written yet");
}

}  // namespace topv::cpu::TOPV_ISA
