// The two ends of patch_embed; the product between them is a gemm.
#include "cpu/convert_row.hpp"
#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

template <typename T>
void patch_rows_as(Team& team, const PatchRowsParams& p) {
  const int64_t size = p.patch, grid_h = p.height / size, grid_w = p.width / size;
  auto* dst = static_cast<T*>(p.dst);
  parallel_for(team, grid_h * grid_w, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t patch = begin; patch < end; ++patch) {
      const float* corner = p.pixels + patch / grid_w * size * p.width + patch % grid_w * size;
      T* row = dst + patch * 3 * size * size;
      for (int64_t channel = 0; channel < 3; ++channel) {
        for (int64_t y = 0; y < size; ++y, row += size) {
          convert_row(corner + (channel * p.height + y) * p.width, row, size);
        }
      }
    }
  });
}

/// y = x + position, with x either the class embedding or a product.
template <typename T>
void add_row(const float* x, const float* position, T* y, int64_t cols) {
  int64_t j = 0;
  for (; j + kLanes <= cols; j += kLanes) store(y + j, load(x + j) + load(position + j));
  const int rest = static_cast<int>(cols - j);
  if (rest > 0) store_n(y + j, load_n(x + j, rest) + load_n(position + j, rest), rest);
}

template <typename T>
void patch_finish_as(Team& team, const PatchFinishParams& p) {
  const int64_t first = p.cls != nullptr ? 1 : 0;
  auto* y = static_cast<T*>(p.y);
  parallel_for(team, p.rows, 1 + 32768 / p.cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      const float* x = r < first ? p.cls : p.products + (r - first) * p.cols;
      add_row(x, p.position + r * p.cols, y + r * p.cols, p.cols);
    }
  });
}

}  // namespace

void patch_rows(Team& team, const PatchRowsParams& params) {
  params.dtype == TOPV_F32 ? patch_rows_as<float>(team, params) : patch_rows_as<bf16>(team, params);
}

void patch_finish(Team& team, const PatchFinishParams& params) {
  params.dtype == TOPV_F32 ? patch_finish_as<float>(team, params) : patch_finish_as<bf16>(team, params);
}

}  // namespace topv::cpu::TOPV_ISA
