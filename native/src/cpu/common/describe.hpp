#pragma once

#include <string>

#include "cpu/common/level.hpp"

namespace topv::cpu {

/// The JSON object of topv_context_describe.
std::string describe(Level level, int threads);

}  // namespace topv::cpu
