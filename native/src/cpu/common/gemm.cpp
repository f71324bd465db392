#include "cpu/common/gemm.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace topv::cpu {
namespace {

// Up to this many rows, reading the weights in place beats oneDNN.
constexpr int64_t kGemvRows = 4;

// oneDNN's AMX code reads rows of bfloat16 up to a whole tile and multiplies what lies there with zeros,
// which NaN and memory past the end do not survive. So k is rounded up to whole tile rows.
constexpr int64_t kTileColumns = 32;

constexpr size_t kHugePage = size_t{2} << 20;

constexpr size_t size_of(int32_t dtype) { return dtype == TOPV_F32 ? 4 : 2; }

size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

Memory allocate(size_t bytes) {
  const bool large = bytes >= 2 * kHugePage;
  const size_t alignment = large ? kHugePage : 64;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  Memory memory(std::aligned_alloc(alignment, rounded));
  if (memory == nullptr) throw std::bad_alloc();
  // Only a hint: weights are read in long runs, and every 4 KiB page costs a look-up.
  if (large) madvise(memory.get(), rounded, MADV_HUGEPAGE);
  return memory;
}

Gemm::Gemm(Level level, const Kernels& kernels, Team& team)
    : kernels_(kernels),
      team_(team),
      tiles_(level == Level::kAmx),
      bf16_((limit_onednn(level), level >= Level::kAvx512Bf16 && onednn_has_bf16())) {}

std::unique_ptr<topv_weight> Gemm::create(const topv_weight_params& p) {
  auto weight = std::make_unique<CpuWeight>();
  weight->k = p.k;
  weight->compute = p.compute;
  for (int i = 0; i < p.part_count; ++i) weight->n += p.rows[i];
  if (p.dtype == p.compute) {
    weight->block_count = p.part_count;
    for (int i = 0; i < p.part_count; ++i) weight->blocks[i] = {p.parts[i], p.rows[i]};
  } else {
    convert(p, *weight);
  }
  if (tiles_ && p.compute == TOPV_BF16) pack_tiles(*weight);
  return weight;
}

void Gemm::convert(const topv_weight_params& p, CpuWeight& weight) {
  weight.converted = allocate(static_cast<size_t>(weight.n * p.k) * size_of(p.compute));
  weight.block_count = 1;
  weight.blocks[0] = {weight.converted.get(), weight.n};
  char* rows = static_cast<char*>(weight.converted.get());
  for (int i = 0; i < p.part_count; ++i) {
    kernels_.convert(team_, {p.parts[i], rows, p.rows[i], p.k, p.k, p.k, p.k, p.dtype, p.compute});
    rows += static_cast<size_t>(p.rows[i] * p.k) * size_of(p.compute);
  }
}

void Gemm::pack_tiles(CpuWeight& weight) {
  weight.tiles = allocate(static_cast<size_t>(tile_bytes(weight.n, weight.k)));
  PackTilesParams pack = {{}, weight.block_count, weight.n, weight.k, weight.tiles.get()};
  std::memcpy(pack.blocks, weight.blocks, sizeof pack.blocks);
  kernels_.pack_tiles(team_, pack);
  weight.block_count = 0;
  weight.converted.reset();
}

void Gemm::pack(CpuWeight& weight) {
  const int32_t dtype = bf16_ ? weight.compute : TOPV_F32;
  const int64_t tile = dtype == TOPV_BF16 ? kTileColumns : 1;
  const int64_t k = (weight.k + tile - 1) / tile * tile;
  if (weight.block_count == 1 && dtype == weight.compute && k == weight.k) {
    weight.packed = matmul_.pack(weight.blocks[0].data, weight.n, k, dtype);
  } else {
    const Memory rows = allocate(static_cast<size_t>(weight.n * k) * size_of(dtype));
    char* next = static_cast<char*>(rows.get());
    for (int i = 0; i < weight.block_count; ++i) {
      const RowBlock& block = weight.blocks[i];
      kernels_.convert(team_,
                       {block.data, next, block.rows, weight.k, weight.k, k, k, weight.compute, dtype});
      next += static_cast<size_t>(block.rows * k) * size_of(dtype);
    }
    weight.packed = matmul_.pack(rows.get(), weight.n, k, dtype);
  }
  weight.packed_dtype = dtype;
  weight.packed_k = k;
}

void Gemm::run(const topv_gemm_params& p) {
  if (p.m == 0) return;
  // oneDNN's layout is a cache inside the weight; to the caller the weight stays what it was.
  auto& weight = const_cast<CpuWeight&>(static_cast<const CpuWeight&>(*p.w));
  if (weight.tiles != nullptr) {
    const GemmTilesParams tiles = {&p, weight.tiles.get(), weight.n, weight.k};
    p.m > kGemvRows ? kernels_.gemm_tiles(team_, tiles) : kernels_.gemv_tiles(team_, tiles);
    return;
  }
  if (p.m > kGemvRows) {
    run_packed(p, weight);
    return;
  }
  GemvParams gemv = {&p, {}, weight.block_count, weight.compute, weight.n, weight.k};
  std::memcpy(gemv.blocks, weight.blocks, sizeof gemv.blocks);
  kernels_.gemv(team_, gemv);
}

void Gemm::run_packed(const topv_gemm_params& p, CpuWeight& weight) {
  if (!weight.packed) pack(weight);
  // Where oneDNN lacks bfloat16 the operands are widened to float32, which is exact, and the result is
  // rounded here.
  const int32_t dtype = weight.packed_dtype;
  const int64_t k = weight.packed_k, n = weight.n;
  const bool copy_a = dtype != weight.compute || k != weight.k;
  const bool copy_c = dtype == TOPV_F32 && p.c_dtype == TOPV_BF16;
  const MatmulShape shape = {p.m,
                             n,
                             k,
                             copy_a ? k : p.lda,
                             copy_c ? n : p.ldc,
                             dtype,
                             copy_c ? TOPV_F32 : p.c_dtype,
                             p.activation,
                             p.bias != nullptr,
                             p.accumulate != 0};
  const size_t library = aligned(matmul_.scratch_bytes(shape));
  const size_t a_bytes = copy_a ? aligned(static_cast<size_t>(p.m * k) * size_of(dtype)) : 0;
  const size_t c_bytes = copy_c ? aligned(static_cast<size_t>(p.m * n) * 4) : 0;
  char* scratch = team_.scratch<char>(static_cast<int64_t>(library + a_bytes + c_bytes));
  void* own_a = scratch + library;
  void* own_c = scratch + library + a_bytes;
  if (copy_a) kernels_.convert(team_, {p.a, own_a, p.m, weight.k, p.lda, k, k, weight.compute, dtype});
  if (copy_c && p.accumulate) kernels_.convert(team_, {p.c, own_c, p.m, n, p.ldc, n, n, TOPV_BF16, TOPV_F32});
  matmul_.run(shape, copy_a ? own_a : p.a, weight.packed, p.bias, copy_c ? own_c : p.c, scratch);
  if (copy_c) kernels_.convert(team_, {own_c, p.c, p.m, n, n, n, p.ldc, TOPV_F32, TOPV_BF16});
}

void Gemm::patch_embed(const topv_patch_embed_params& p) {
  const int64_t patches = int64_t{p.height / p.patch} * (p.width / p.patch), n = p.w->n, k = p.w->k;
  const int64_t rows = patches + (p.cls != nullptr ? 1 : 0);
  const size_t squares = aligned(static_cast<size_t>(patches * k) * size_of(p.dtype));
  char* memory = static_cast<char*>(patches_.get(squares + static_cast<size_t>(patches * n) * 4));
  auto* products = reinterpret_cast<float*>(memory + squares);
  for (int32_t image = 0; image < p.batch; ++image) {
    const float* pixels = p.pixels + int64_t{3} * image * p.height * p.width;
    kernels_.patch_rows(team_, {pixels, memory, p.height, p.width, p.patch, p.dtype});
    topv_gemm_params gemm = {};
    gemm.a = memory;
    gemm.w = p.w;
    gemm.bias = p.bias;
    gemm.c = products;
    gemm.m = patches;
    gemm.lda = k;
    gemm.ldc = n;
    gemm.c_dtype = TOPV_F32;
    run(gemm);
    char* y = static_cast<char*>(p.y) + static_cast<size_t>(image * rows * n) * size_of(p.dtype);
    kernels_.patch_finish(team_, {products, p.cls, p.position, y, rows, n, p.dtype});
  }
}

}  // namespace topv::cpu
