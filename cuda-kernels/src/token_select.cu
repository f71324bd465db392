#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {

void token_select(const Run&, const topv_token_select_params&) {
  fail(TOPV_UNSUPPORTED, "token_select: not written yet");
}

}  // namespace topv::cuda
