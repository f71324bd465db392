#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {

void attention_decode(const Run&, const topv_attention_params&) {
  fail(TOPV_UNSUPPORTED, "attention_decode: not written yet");
}

}  // namespace topv::cuda
