#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {

void attention_prefill(const Run&, const topv_attention_params&) {
  fail(TOPV_UNSUPPORTED, "attention_prefill: not written yet");
}

}  // namespace topv::cuda
