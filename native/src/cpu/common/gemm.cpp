#include "cpu/common/gemm.hpp"

namespace topv::cpu {

std::unique_ptr<topv_weight> Gemm::create(const topv_weight_params&) {
  fail(TOPV_UNSUPPORTED, "gemm: not written yet");
}
void Gemm::run(const topv_gemm_params&) { fail(TOPV_UNSUPPORTED, "gemm: not written yet"); }
void Gemm::patch_embed(const topv_patch_embed_params&) { fail(TOPV_UNSUPPORTED, "gemm: not written yet"); }

}  // namespace topv::cpu
