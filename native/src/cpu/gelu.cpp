#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void gelu(Team&, const topv_gelu_params&) { fail(TOPV_UNSUPPORTED, "gelu: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
