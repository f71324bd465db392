#include "gemm.hpp"

namespace topv::cuda {

std::unique_ptr<topv_weight> weight_create(const Run&, Stream&, const topv_weight_params&) {
  fail(TOPV_UNSUPPORTED, "weight_create: not written yet");
}
void gemm(const Run&, const topv_gemm_params&) { fail(TOPV_UNSUPPORTED, "gemm: not written yet"); }
void patch_embed(const Run&, const topv_patch_embed_params&) {
  fail(TOPV_UNSUPPORTED, "patch_embed: not written yet");
}

}  // namespace topv::cuda
