// The functions of flash_attn.h over topv's attention kernels.
#pragma once

#include "flash_attn/flash_attn.h"
#include "run.hpp"

namespace topv::cuda {

void flash_attn_varlen_fwd(const Run& run, const flash_attn_varlen_params& params);
void flash_attn_with_kvcache(const Run& run, const flash_attn_kvcache_params& params);

}  // namespace topv::cuda
