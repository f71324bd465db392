#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void rope(Team&, const topv_rope_params&) { fail(TOPV_UNSUPPORTED, "rope: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
