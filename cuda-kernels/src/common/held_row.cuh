// A row that is read more than once, by a warp or a block: kept in registers as far as it fits.
#pragma once

#include "common/reduce.cuh"
#include "common/vectors.cuh"

namespace topv::cuda {

constexpr int kRowThreads = 256;  ///< threads of a block that normalizes rows

constexpr int kHeldPacks = 4;  ///< that a thread has in registers

/// Whether a warp holds a row of cols elements; else a block takes it.
template <int V>
bool fits_warp(int64_t cols) {
  return cols <= kHeldPacks * 32 * V;
}

/// The packs lane, lane + kLanes, lane + 2 kLanes, ... of a row: the first kHeldPacks in registers, those that a block
/// has beyond them read again from the L1 or L2 cache each time.
template <typename T, int V, int kLanes>
class HeldRow {
 public:
  __device__ __forceinline__ HeldRow(const T* x, int64_t cols) : x_(x), cols_(cols) {
#pragma unroll
    for (int h = 0; h < kHeldPacks; ++h) {
      const int64_t j = at(h);
      if (j < cols_) load(x_ + j, cols_ - j, held_[h]);
    }
  }

  /// body(j, n, x): the elements j .. j + n - 1 as float.
  template <typename Body>
  __device__ __forceinline__ void for_each(const Body& body) const {
#pragma unroll
    for (int h = 0; h < kHeldPacks; ++h) {
      const int64_t j = at(h);
      if (j < cols_) body(j, cols_ - j, held_[h]);
    }
    if constexpr (kLanes > 32) {
      for (int64_t j = at(kHeldPacks); j < cols_; j += kLanes * V) {
        float again[V];
        load(x_ + j, cols_ - j, again);
        body(j, cols_ - j, again);
      }
    }
  }

 private:
  __device__ __forceinline__ int64_t at(int pack) const {
    return (int64_t{pack} * kLanes + threadIdx.x % kLanes) * V;
  }

  const T* x_;
  int64_t cols_;
  float held_[kHeldPacks][V];
};

/// One row per kLanes threads; blocks go on with the rows a whole grid further.
template <int kLanes>
Shape one_row_per(int64_t rows) {
  const int64_t blocks = ceil_div(rows, kRowThreads / kLanes), most = 0x7fffffff;
  return {dim3(static_cast<unsigned>(blocks < most ? blocks : most)), dim3(kRowThreads)};
}

template <int kLanes>
__device__ __forceinline__ int64_t first_held_row() {
  return int64_t{blockIdx.x} * (kRowThreads / kLanes) + threadIdx.x / kLanes;
}
template <int kLanes>
__device__ __forceinline__ int64_t held_row_step() {
  return int64_t{gridDim.x} * (kRowThreads / kLanes);
}

/// Starts a norm's kernel, Norm::kernel<T, V, kLanes>(): in packs where the rows of x and y are aligned, and its vectors, too.
template <typename Norm, typename T, int V, typename Params>
void start_rows(const Run& run, const Params& p) {
  if (fits_warp<V>(p.cols)) return launch(run, one_row_per<32>(p.rows), Norm::template kernel<T, V, 32>(), p);
  launch(run, one_row_per<kRowThreads>(p.rows), Norm::template kernel<T, V, kRowThreads>(), p);
}
template <typename Norm, typename T, typename Params>
void start_rows(const Run& run, const Params& p, bool vectors_aligned) {
  const int64_t size = sizeof(T);
  const bool wide = vectors_aligned && aligned(p.x, p.ldx * size) && aligned(p.y, p.ldy * size);
  wide ? start_rows<Norm, T, kPack<T>>(run, p) : start_rows<Norm, T, 1>(run, p);
}
template <typename Norm, typename Params>
void start_rows(const Run& run, const Params& p, bool vectors_aligned) {
  p.dtype == TOPV_F32 ? start_rows<Norm, float>(run, p, vectors_aligned)
                      : start_rows<Norm, __nv_bfloat16>(run, p, vectors_aligned);
}

}  // namespace topv::cuda
