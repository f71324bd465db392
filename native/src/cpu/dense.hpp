// Parameters of the kernels that have no stem of their own in topv.h: pieces of gemm and patch_embed.
#pragma once

#include <cstdint>

#include "topv/topv.h"

namespace topv::cpu {

/// Rows of a matrix that lie together, row-major, of one dtype.
struct RowBlock {
  const void* data;
  int64_t rows;
};

/// gemm for few rows of a: every weight is read once, from where it lies.
struct GemvParams {
  const topv_gemm_params* gemm;
  RowBlock blocks[TOPV_MAX_PARTS];
  int32_t block_count;
  int32_t dtype;  ///< of a and of the blocks: F32 or BF16
  int64_t n, k;
};

/// W [n, k] of bfloat16 in tiles for gemm_tiles and gemv_tiles: tile_bytes(n, k) bytes at packed.
struct PackTilesParams {
  RowBlock blocks[TOPV_MAX_PARTS];
  int32_t block_count;
  int64_t n, k;
  void* packed;
};

constexpr int64_t tile_bytes(int64_t n, int64_t k) { return (n + 31) / 32 * ((k + 31) / 32) * 2048; }

/// gemm in bfloat16 with W in tiles; level amx only. gemv_tiles takes up to 4 rows of a, gemm_tiles any number.
struct GemmTilesParams {
  const topv_gemm_params* gemm;
  const void* packed;
  int64_t n, k;
};

/// dst[i, :] = src[i, :], from one dtype to another, then zeros up to dst_cols.
struct ConvertParams {
  const void* src;
  void* dst;
  int64_t rows, cols, ld_src;
  int64_t dst_cols, ld_dst;
  int32_t src_dtype, dst_dtype;  ///< src F32, F16 or BF16; dst F32 or BF16
};

/// One image cut into patches: dst [grid_h * grid_w, 3 * patch * patch] dense.
struct PatchRowsParams {
  const float* pixels;  ///< [3, height, width]
  void* dst;
  int32_t height, width, patch;
  int32_t dtype;
};

/// y[0] = cls + position[0] where cls is given; y[r] = products[r - has_cls] + position[r].
struct PatchFinishParams {
  const float* products;  ///< [rows - has_cls, cols] dense
  const float* cls;       ///< nullable
  const float* position;  ///< [rows, cols]
  void* y;                ///< [rows, cols] dense
  int64_t rows, cols;
  int32_t dtype;
};

}  // namespace topv::cpu
