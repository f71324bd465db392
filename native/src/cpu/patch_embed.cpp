#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void patch_rows(Team&, const PatchRowsParams&) { fail(TOPV_UNSUPPORTED, "patch_embed: not written yet"); }

void patch_finish(Team&, const PatchFinishParams&) { fail(TOPV_UNSUPPORTED, "patch_embed: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
