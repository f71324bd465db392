// Table of contents: the launcher of every stem, in src/<stem>.cu. A launcher queues work on run.stream and returns.
// Params were validated by libtopv.so; what lies in device memory is checked by the kernels (fault.hpp). gemm and
// patch_embed need the library of matrix products and are in gemm.hpp.
#pragma once

#include "run.hpp"
#include "topv/backend.hpp"

namespace topv::cuda {

#define TOPV_DECLARE_LAUNCHER(name, Params) void name(const Run& run, const Params& params);
TOPV_STEMS(TOPV_DECLARE_LAUNCHER)
#undef TOPV_DECLARE_LAUNCHER

}  // namespace topv::cuda
