#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {

void kv_gather(const Run&, const topv_kv_gather_params&) {
  fail(TOPV_UNSUPPORTED, "kv_gather: not written yet");
}

}  // namespace topv::cuda
