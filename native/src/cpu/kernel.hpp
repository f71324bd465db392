// What every kernel file includes: the list of kernels, their declarations, and one table per level.
#pragma once

#include <cstdint>

#include "cpu/dense.hpp"
#include "cpu/parallel.hpp"
#include "error.hpp"
#include "topv/backend.hpp"

/// All kernels: X(name, params). Those of dense.hpp, and every stem, which is in cpu/<stem>.cpp.
#define TOPV_KERNELS(X)              \
  X(gemv, GemvParams)                \
  X(pack_tiles, PackTilesParams)     \
  X(gemm_tiles, GemmTilesParams)     \
  X(gemv_tiles, GemmTilesParams)     \
  X(convert, ConvertParams)          \
  X(patch_rows, PatchRowsParams)     \
  X(patch_finish, PatchFinishParams) \
  TOPV_STEMS(X)

namespace topv::cpu {

/// The kernels of one level.
struct Kernels {
#define TOPV_DECLARE(name, Params) void (*name)(Team&, const Params&);
  TOPV_KERNELS(TOPV_DECLARE)
#undef TOPV_DECLARE
};

#if defined(TOPV_ISA)
namespace TOPV_ISA {
#define TOPV_DECLARE(name, Params) void name(Team& team, const Params& params);
TOPV_KERNELS(TOPV_DECLARE)
#undef TOPV_DECLARE
}  // namespace TOPV_ISA
#endif

}  // namespace topv::cpu
