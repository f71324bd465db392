#include "cpu/attention.hpp"

namespace topv::cpu::TOPV_ISA {

void attention_decode(Team& team, const topv_attention_params& p) {
  check_indices("attention_decode", p);
  for (int b = 0; b < p.batch; ++b) {
    if (p.cu_seqlens_q[b + 1] != b + 1) {
      fail(TOPV_INVALID_ARGUMENT, "attention_decode: cu_seqlens_q[%d] = %d, expected %d: one query per sequence", b + 1,
           p.cu_seqlens_q[b + 1], b + 1);
    }
  }
  attention_prefill(team, p);
}

}  // namespace topv::cpu::TOPV_ISA
