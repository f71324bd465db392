#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void gemv(Team&, const GemvParams&) { fail(TOPV_UNSUPPORTED, "gemv: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
