#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {

void kv_append(const Run&, const topv_kv_append_params&) {
  fail(TOPV_UNSUPPORTED, "kv_append: not written yet");
}

}  // namespace topv::cuda
