// attention_prefill and attention_forward: which form of the kernel takes a problem.
#include "attention_prefill.cuh"
#include "kernels.h"

namespace topv::cuda {

namespace {

/// Whether rows of this array can be copied in pieces of 16 bytes.
bool aligned(const void* base, int64_t ld) {
  return reinterpret_cast<uintptr_t>(base) % 16 == 0 && ld % 8 == 0;
}

bool tensor_cores(const Attention& p) {
  return p.dtype != TOPV_F32 && p.head_dim <= 128 && p.scale > 0 && aligned(p.q, p.ldq) &&
         aligned(p.k, p.ldk) && aligned(p.v, p.ldv) && aligned(p.out, p.ldo);
}

}  // namespace

void attention_forward(const Run& run, const AttentionParams& params) {
  if (params.batch == 0 || params.max_seqlen_q == 0) return;
  const Attention p(run, params);
  if (!tensor_cores(p)) return attention_prefill_simt(run, p);
  run.device.hopper() && p.max_seqlen_k > 0 ? attention_prefill_wgmma(run, p) : attention_prefill_mma(run, p);
}

void attention_prefill(const Run& run, const topv_attention_params& params) {
  attention_forward(run, AttentionParams(params));
}

}  // namespace topv::cuda
