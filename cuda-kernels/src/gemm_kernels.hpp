// The kernels beside the library's products.
#pragma once

#include "run.hpp"

namespace topv::cuda {

constexpr int64_t kGemvRows = 4;

/// c = activation(a w^T + bias) + (accumulate ? c : 0), for up to kGemvRows rows of a. Rows of w begin at multiples of 16
/// bytes and are padded with zeros.
struct GemvParams {
  const void* a;
  const void* w;
  const float* bias;  ///< nullable
  void* c;
  int64_t m, n, k, lda, ldw, ldc;
  int32_t dtype, c_dtype, activation, accumulate;
};
void gemv(const Run& run, const GemvParams& params);

/// c = activation(x + bias) + (accumulate ? c : 0): what follows a product in float32.
struct EpilogueParams {
  const float* x;     ///< [m, n], rows begin at multiples of 16 bytes
  const float* bias;  ///< nullable
  void* c;
  int64_t m, n, ldx, ldc;
  int32_t c_dtype, activation, accumulate;
};
void gemm_epilogue(const Run& run, const EpilogueParams& params);

/// dst [rows, ld] = src [rows, k] in another dtype, zeros beyond k.
struct ConvertParams {
  const void* src;
  void* dst;
  int64_t rows, k, ld;
  int32_t src_dtype, dst_dtype;
};
void convert(const Run& run, const ConvertParams& params);

}  // namespace topv::cuda
