#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void rms_norm(Team&, const topv_rms_norm_params&) { fail(TOPV_UNSUPPORTED, "rms_norm: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
