#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {

void rope(const Run&, const topv_rope_params&) { fail(TOPV_UNSUPPORTED, "rope: not written yet"); }

}  // namespace topv::cuda
