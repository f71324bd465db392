// oneDNN as this backend uses it.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "cpu/common/level.hpp"

namespace topv::cpu {

/// Holds oneDNN to the level. oneDNN takes this once per process: the first context's level counts, and later
/// contexts of other levels use oneDNN at that one.
void limit_onednn(Level level);

/// Name of the level that oneDNN uses.
const char* onednn_isa();

/// Whether oneDNN multiplies bfloat16 natively; without, it would fall to its reference kernel on AVX2.
bool onednn_has_bf16();

}  // namespace topv::cpu
