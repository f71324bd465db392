// A matrix as the CPU keeps it.
#pragma once

#include <cstdlib>
#include <memory>

#include "cpu/common/onednn.hpp"
#include "cpu/dense.hpp"
#include "topv/backend.hpp"

namespace topv::cpu {

struct FreeDeleter {
  void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, FreeDeleter>;

/// 64-byte aligned, in huge pages where the system gives them to large blocks; throws std::bad_alloc.
Memory allocate(size_t bytes);

/// Row-major rows in the compute dtype (the caller's memory, or a converted copy) for products with few rows,
/// and oneDNN's blocked layout, made when first needed, for the others. With AMX, bfloat16 has one layout for both,
/// made at once, and nothing else is held.
struct CpuWeight final : topv_weight {
  RowBlock blocks[TOPV_MAX_PARTS] = {};
  int block_count = 0;
  Memory converted;  ///< empty where the caller's memory is read in place
  Memory tiles;      ///< W for gemm_tiles and gemv_tiles; empty where the blocks are used
  dnnl::memory packed;
  int32_t packed_dtype = TOPV_F32;
  int64_t packed_k = 0;  ///< k, rounded up with zeros where oneDNN needs that
};

}  // namespace topv::cpu
