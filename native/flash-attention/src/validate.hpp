// The checks of flash_attn.h's ranges; throw FLASH_ATTN_INVALID_ARGUMENT.
#pragma once

#include "flash_attn/flash_attn.h"

namespace flash_attn {

void validate(const flash_attn_varlen_params& params);
void validate(const flash_attn_kvcache_params& params);

}  // namespace flash_attn
