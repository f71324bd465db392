// gemm, embeddings, rows_gather.
#include <string>

#include "validate/check.hpp"

namespace topv {

void validate_weight(const topv_weight_params& p) {
  const Check check("weight_create");
  check.range("part_count", p.part_count, 1, TOPV_MAX_PARTS);
  check.stored_dtype("dtype", p.dtype);
  check.dtype("compute", p.compute);
  check.at_least("k", p.k, 1);
  check.range("on_device", p.on_device, 0, 1);
  int64_t n = 0;
  for (int i = 0; i < p.part_count; ++i) {
    const std::string index = "[" + std::to_string(i) + "]";
    check.pointer(("parts" + index).c_str(), p.parts[i]);
    check.at_least(("rows" + index).c_str(), p.rows[i], 1);
    n = check.sum("rows", n, p.rows[i]);
  }
  check.extent("parts", n, p.k);
}

void validate_gemm(const topv_gemm_params& p) {
  const Check check("gemm");
  check.pointer("w", p.w);
  const int64_t n = p.w->n, k = p.w->k;
  check.at_least("m", p.m, 0);
  check.at_least("lda", p.lda, "k", k);
  check.at_least("ldc", p.ldc, "n", n);
  check.dtype("c_dtype", p.c_dtype);
  if (p.c_dtype != TOPV_F32 && p.c_dtype != p.w->compute) {
    fail(TOPV_INVALID_ARGUMENT, "gemm: c_dtype = %d is neither F32 (0) nor the weight's compute = %d",
         p.c_dtype, p.w->compute);
  }
  check.range("activation", p.activation, TOPV_ACTIVATION_NONE, TOPV_ACTIVATION_QUICK_GELU);
  check.flag("accumulate", p.accumulate);
  check.extent("a", p.m, p.lda);
  check.extent("c", p.m, p.ldc);
  check.pointer("a", p.a, p.m == 0);
  check.pointer("c", p.c, p.m == 0);
}

void validate_embed(const topv_embed_params& p) {
  const Check check("embed");
  check.at_least("tokens", p.tokens, 0);
  check.at_least("vocab", p.vocab, 1);
  check.at_least("cols", p.cols, 1);
  check.at_least("ldy", p.ldy, "cols", p.cols);
  check.stored_dtype("table_dtype", p.table_dtype);
  check.dtype("dtype", p.dtype);
  check.extent("table", p.vocab, p.cols);
  check.extent("y", p.tokens, p.ldy);
  check.pointer("table", p.table);
  check.pointer("ids", p.ids, p.tokens == 0);
  check.pointer("y", p.y, p.tokens == 0);
}

void validate_patch_embed(const topv_patch_embed_params& p) {
  const Check check("patch_embed");
  check.pointer("w", p.w);
  check.at_least("batch", p.batch, 0);
  check.range("patch", p.patch, 1, 4096);
  check.at_least("height", p.height, "patch", p.patch);
  check.at_least("width", p.width, "patch", p.patch);
  check.multiple("height", p.height, "patch", p.patch);
  check.multiple("width", p.width, "patch", p.patch);
  check.dtype("dtype", p.dtype);
  const int64_t k = int64_t{3} * p.patch * p.patch;
  if (p.w->k != k) {
    fail(TOPV_INVALID_ARGUMENT, "patch_embed: w has k = %lld, but 3 * patch * patch = %lld",
         static_cast<long long>(p.w->k), static_cast<long long>(k));
  }
  if (p.dtype != p.w->compute) {
    fail(TOPV_INVALID_ARGUMENT, "patch_embed: dtype = %d is not the weight's compute = %d", p.dtype,
         p.w->compute);
  }
  const int64_t patches = int64_t{p.height / p.patch} * (p.width / p.patch);
  check.extent("pixels", int64_t{3} * p.batch, int64_t{p.height} * p.width);
  check.extent("y", check.extent("y", patches + 1, p.w->n), p.batch);
  check.pointer("position", p.position);
  check.pointer("pixels", p.pixels, p.batch == 0);
  check.pointer("y", p.y, p.batch == 0);
}

void validate_rows_gather(const topv_rows_gather_params& p) {
  const Check check("rows_gather");
  check.at_least("count", p.count, 0);
  check.at_least("src_rows", p.src_rows, 0);
  check.at_least("row_bytes", p.row_bytes, 1);
  check.at_least("src_stride_bytes", p.src_stride_bytes, "row_bytes", p.row_bytes);
  check.at_least("dst_stride_bytes", p.dst_stride_bytes, "row_bytes", p.row_bytes);
  check.extent("src", p.src_rows, p.src_stride_bytes);
  check.extent("dst", p.count, p.dst_stride_bytes);
  check.pointer("index", p.index, p.count == 0);
  check.pointer("src", p.src, p.count == 0 || p.src_rows == 0);
  check.pointer("dst", p.dst, p.count == 0);
}

}  // namespace topv
