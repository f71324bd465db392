#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void sinkhorn(Team&, const topv_sinkhorn_params&) { fail(TOPV_UNSUPPORTED, "sinkhorn: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
