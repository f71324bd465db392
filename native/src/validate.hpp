// Whether params keep to the ranges that topv.h documents. Each function throws Error(TOPV_INVALID_ARGUMENT)
// whose words name operation, field and value: "gemm: lda = 3 is below k = 8".
#pragma once

#include "topv/backend.hpp"

namespace topv {

void validate_weight(const topv_weight_params& params);
#define TOPV_DECLARE(name, Params) void validate_##name(const Params& params);
TOPV_OPS(TOPV_DECLARE)
#undef TOPV_DECLARE

}  // namespace topv
