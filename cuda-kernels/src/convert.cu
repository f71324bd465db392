// Rows of a weight in the dtype of its products, padded with zeros.
//
// Grid: threads over rows and elements. Runs once per weight, behind a copy from the host that is far slower.
#include "common/vectors.cuh"
#include "gemm_kernels.hpp"

namespace topv::cuda {
namespace {

template <typename S, typename T>
__global__ void __launch_bounds__(256) convert_kernel(ConvertParams p) {
  const int64_t j = item_index();
  if (j >= p.ld) return;
  for (int64_t i = first_row(); i < p.rows; i += row_step()) {
    const float x = j < p.k ? to_float(static_cast<const S*>(p.src)[i * p.k + j]) : 0.0f;
    static_cast<T*>(p.dst)[i * p.ld + j] = from_float<T>(x);
  }
}

template <typename S>
void start(const Run& run, const ConvertParams& p) {
  launch(run, over(p.rows, p.ld),
         p.dst_dtype == TOPV_F32 ? convert_kernel<S, float> : convert_kernel<S, __nv_bfloat16>, p);
}

}  // namespace

void convert(const Run& run, const ConvertParams& p) {
  with_element(p.src_dtype, [&](auto element) { start<decltype(element)>(run, p); });
}

}  // namespace topv::cuda
