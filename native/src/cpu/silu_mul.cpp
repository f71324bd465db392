#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void silu_mul(Team&, const topv_silu_mul_params&) { fail(TOPV_UNSUPPORTED, "silu_mul: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
