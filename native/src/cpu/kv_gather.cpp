#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void kv_gather(Team&, const topv_kv_gather_params&) { fail(TOPV_UNSUPPORTED, "kv_gather: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
