#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void embed(Team&, const topv_embed_params&) { fail(TOPV_UNSUPPORTED, "embed: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
