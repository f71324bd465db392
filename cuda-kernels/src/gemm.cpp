#include "gemm.hpp"

#include <algorithm>

#include "gemm_kernels.hpp"

namespace topv::cuda {
namespace {

/// Bytes of a weight that are on their way at a time where they have to be converted.
constexpr int64_t kChunk = 8 << 20;

int64_t size_of(int32_t dtype) { return dtype == TOPV_F32 ? 4 : 2; }

int64_t padded(int64_t count, int64_t size) { return (count * size + 15) / 16 * 16 / size; }

unsigned char* at(void* array, int64_t bytes) { return static_cast<unsigned char*>(array) + bytes; }
const unsigned char* at(const void* array, int64_t bytes) {
  return static_cast<const unsigned char*>(array) + bytes;
}

/// Part i of p into rows of w from first on.
void fill(const Run& run, Stream& stream, DeviceWeight& w, int64_t first, const topv_weight_params& p,
          int32_t i) {
  const void* const part = p.parts[i];
  const int64_t rows = p.rows[i];
  const int32_t dtype = p.dtype;
  unsigned char* const dst = at(w.data, first * w.ld * size_of(w.compute));
  const int64_t row_bytes = w.k * size_of(dtype);
  if (p.on_device) return convert(run, {part, dst, rows, w.k, w.ld, dtype, w.compute});
  if (dtype == w.compute && w.ld == w.k) return stream.upload(dst, part, rows * row_bytes);
  const int64_t chunk = std::max<int64_t>(1, std::min(rows, kChunk / row_bytes));
  void* const raw = run.scratch.take<unsigned char>(chunk * row_bytes);
  for (int64_t row = 0; row < rows; row += chunk) {
    const int64_t count = std::min(chunk, rows - row);
    stream.upload(raw, at(part, row * row_bytes), count * row_bytes);
    convert(run, {raw, at(dst, row * w.ld * size_of(w.compute)), count, w.k, w.ld, dtype, w.compute});
  }
}

}  // namespace

DeviceWeight::~DeviceWeight() { cudaFree(data); }

std::unique_ptr<topv_weight> weight_create(const GemmRun& run, Stream& stream, const topv_weight_params& p) {
  auto w = std::make_unique<DeviceWeight>();
  for (int32_t i = 0; i < p.part_count; ++i) w->n += p.rows[i];
  w->k = p.k;
  w->compute = p.compute;
  w->ld = padded(p.k, size_of(p.compute));
  check(cudaMalloc(&w->data, static_cast<size_t>(w->n * w->ld * size_of(p.compute))), "weight_create");
  int64_t first = 0;
  for (int32_t i = 0; i < p.part_count; ++i) {
    fill(run, stream, *w, first, p, i);
    first += p.rows[i];
    run.scratch.reset();
  }
  stream.synchronize();  // the operations that read it may be on other streams
  return w;
}

void multiply(const GemmRun& run, const DeviceWeight& w, const void* a, int64_t lda, int64_t m, void* c,
              int64_t ldc, int32_t c_dtype, bool accumulate) {
  if (m > kGemvRows && run.products.multiply(run, {a, w.data, c, m, w.n, w.k, lda, w.ld, ldc, w.compute,
                                                   c_dtype, accumulate})) {
    return;
  }
  for (int64_t row = 0; row < m; row += kGemvRows) {
    gemv(run, {at(a, row * lda * size_of(w.compute)), w.data, nullptr, at(c, row * ldc * size_of(c_dtype)),
               std::min(kGemvRows, m - row), w.n, w.k, lda, w.ld, ldc, w.compute, c_dtype,
               TOPV_ACTIVATION_NONE, accumulate});
  }
}

void gemm(const GemmRun& run, const topv_gemm_params& p) {
  const auto& w = static_cast<const DeviceWeight&>(*p.w);
  if (p.m == 0) return;
  if (p.m <= kGemvRows) {
    return gemv(run, {p.a, w.data, p.bias, p.c, p.m, w.n, w.k, p.lda, w.ld, p.ldc, w.compute, p.c_dtype,
                      p.activation, p.accumulate});
  }
  if (p.bias == nullptr && p.activation == TOPV_ACTIVATION_NONE) {
    return multiply(run, w, p.a, p.lda, p.m, p.c, p.ldc, p.c_dtype, p.accumulate != 0);
  }
  const int64_t ldx = padded(w.n, 4);
  float* const x = run.scratch.take<float>(p.m * ldx);
  multiply(run, w, p.a, p.lda, p.m, x, ldx, TOPV_F32, false);
  gemm_epilogue(run, {x, p.bias, p.c, p.m, w.n, ldx, p.ldc, p.c_dtype, p.activation, p.accumulate});
}

}  // namespace topv::cuda
