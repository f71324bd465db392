// gemm and patch_embed: packed weights in device memory, products by cuBLASLt.
#pragma once

#include <memory>

#include "run.hpp"
#include "stream.hpp"
#include "topv/backend.hpp"

namespace topv::cuda {

std::unique_ptr<topv_weight> weight_create(const Run& run, Stream& stream, const topv_weight_params& params);
void gemm(const Run& run, const topv_gemm_params& params);
void patch_embed(const Run& run, const topv_patch_embed_params& params);

}  // namespace topv::cuda
