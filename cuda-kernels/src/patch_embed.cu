// Patches of images as rows, times w, then class embedding, bias and position.
//
// Three launches: the rows [patches, 3 p^2] in the dtype of the products (grid: threads over rows and elements; bound by
// bandwidth: the pixels read, the rows written), the product in float32, and the sum (grid: threads over rows and columns).
#include "common/vectors.cuh"
#include "gemm.hpp"

namespace topv::cuda {
namespace {

/// Row r of x is patch r, channel first.
template <typename T>
__global__ void __launch_bounds__(256)
    patch_rows_kernel(topv_patch_embed_params p, T* x, int64_t ldx, int64_t patches) {
  const int64_t j = item_index();
  const int square = p.patch * p.patch, grid_w = p.width / p.patch, grid_h = p.height / p.patch;
  if (j >= int64_t{3} * square) return;
  const int channel = int(j) / square, dy = int(j) % square / p.patch, dx = int(j) % p.patch;
  for (int64_t row = first_row(); row < patches; row += row_step()) {
    const int64_t image = row / (int64_t{grid_w} * grid_h);
    const int at = int(row % (int64_t{grid_w} * grid_h));
    const int64_t y = at / grid_w * p.patch + dy, column = at % grid_w * p.patch + dx;
    x[row * ldx + j] = from_float<T>(p.pixels[((image * 3 + channel) * p.height + y) * p.width + column]);
  }
}

/// y = (class embedding, or product + bias) + position.
template <typename T>
__global__ void __launch_bounds__(256)
    patch_sum_kernel(topv_patch_embed_params p, const float* product, int64_t cols, int64_t ld, int patches) {
  const int64_t j = item_index();
  if (j >= cols) return;
  const int extra = p.cls != nullptr ? 1 : 0;
  const int64_t rows = patches + extra;
  const float bias = p.bias != nullptr ? p.bias[j] : 0.0f;
  for (int64_t i = first_row(); i < p.batch * rows; i += row_step()) {
    const int64_t image = i / rows, r = i % rows;
    const float x = r < extra ? p.cls[j] : product[(image * patches + r - extra) * ld + j] + bias;
    static_cast<T*>(p.y)[i * cols + j] = from_float<T>(x + p.position[r * cols + j]);
  }
}

template <typename T>
void start(const GemmRun& run, const topv_patch_embed_params& p, const DeviceWeight& w) {
  const int64_t patches = int64_t{p.height / p.patch} * (p.width / p.patch);
  const int64_t rows = p.batch * patches, ldx = ceil_div(w.k, kPack<T>) * kPack<T>, ld = ceil_div(w.n, 4) * 4;
  T* const x = run.scratch.take<T>(rows * ldx);
  float* const product = run.scratch.take<float>(rows * ld);
  launch(run, over(rows, w.k), patch_rows_kernel<T>, p, x, ldx, rows);
  multiply(run, w, x, ldx, rows, product, ld, TOPV_F32, false);
  launch(run, over(p.batch * (patches + (p.cls != nullptr ? 1 : 0)), w.n), patch_sum_kernel<T>, p, product,
         w.n, ld, int(patches));
}

}  // namespace

void patch_embed(const GemmRun& run, const topv_patch_embed_params& p) {
  if (p.batch == 0) return;
  const auto& w = static_cast<const DeviceWeight&>(*p.w);
  if (p.dtype == TOPV_F32) return start<float>(run, p, w);
  start<__nv_bfloat16>(run, p, w);
}

}  // namespace topv::cuda
