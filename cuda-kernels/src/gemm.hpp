// gemm and patch_embed: weights in device memory, products by a library (products.hpp), or by gemv where a has few rows.
#pragma once

#include <memory>

#include "products.hpp"
#include "stream.hpp"
#include "topv/backend.hpp"

namespace topv::cuda {

struct GemmRun : Run {
  Products& products;
};

/// W [n, k] in device memory, in the dtype of the products. Rows are padded with zeros to 16 bytes.
struct DeviceWeight final : topv_weight {
  ~DeviceWeight() override;
  void* data = nullptr;
  int64_t ld = 0;
};

std::unique_ptr<topv_weight> weight_create(const GemmRun& run, Stream& stream,
                                           const topv_weight_params& params);
void gemm(const GemmRun& run, const topv_gemm_params& params);
void patch_embed(const GemmRun& run, const topv_patch_embed_params& params);

/// c [m, n] = a [m, k] w^T (+ c).
void multiply(const GemmRun& run, const DeviceWeight& w, const void* a, int64_t lda, int64_t m, void* c,
              int64_t ldc, int32_t c_dtype, bool accumulate);

}  // namespace topv::cuda
