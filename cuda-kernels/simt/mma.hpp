// Products of a warp, and the loads that feed them. How they are added: tensor_core.hpp.
#pragma once

#include <cstdint>

#include "simt/error.hpp"

namespace simt {

enum class MmaType { bf16, f16, tf32 };

/// d += a b, from the registers of all lanes: m16n8k16, with tf32 m16n8k8.
void multiply(MmaType type, float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site);

/// `tiles` 8x8 tiles of 16-bit elements, one register each; lanes 0 .. 8 tiles - 1 name a row.
void load_matrices(int tiles, bool transposed, uint32_t* registers, const void* row, Site site);

}  // namespace simt
