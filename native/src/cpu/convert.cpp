#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void convert(Team&, const ConvertParams&) { fail(TOPV_UNSUPPORTED, "convert: not written yet"); }

}  // namespace topv::cpu::TOPV_ISA
