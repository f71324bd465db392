#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void kv_append(Team&, const topv_kv_append_params&) { fail(TOPV_UNSUPPORTED, "kv_append: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
