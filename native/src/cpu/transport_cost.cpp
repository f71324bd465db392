#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

void transport_cost(Team&, const topv_transport_cost_params&) {
  fail(TOPV_UNSUPPORTED, "transport_cost: not written yet");
}

}  // namespace topv::cpu::TOPV_ISA
