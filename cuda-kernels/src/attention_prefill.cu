// attention_prefill and attention_forward: which form of the kernel takes a problem.
#include "attention_prefill.cuh"
#include "kernels.h"

namespace topv::cuda {

void attention_forward(const Run& run, const AttentionParams& params) {
  if (params.batch == 0 || params.max_seqlen_q == 0) return;
  attention_prefill_simt(run, Attention(run, params));
}

void attention_prefill(const Run& run, const topv_attention_params& params) {
  attention_forward(run, AttentionParams(params));
}

}  // namespace topv::cuda
