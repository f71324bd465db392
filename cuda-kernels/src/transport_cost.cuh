// What the kernels of transport_cost share. In three launches (transport_cost.cu):
//
//   pack     centres the columns of S and T, splits them into parts of bfloat16, and sums what each row adds on its own
//   distance |S_i - T_j|^2 on the tensor cores, with its extremes (transport_cost_wgmma.cu, transport_cost_mma.cu)
//   finish   scales to [0, 1], adds the spatial and the central term; norms
//
// With s = S - a, t = T - b for constant rows a and b, and d = a - b,
//   |S_i - T_j|^2 - |d|^2 = (|s_i|^2 + 2 d s_i) + (|t_j|^2 - 2 d t_j) - 2 s_i t_j,
// of which the constant is of no matter. A column is centred where that is exact: its entries have one sign and lie within
// a factor of 3, so their midrange is within a factor of 2 of each (Sterbenz). Columns that would cancel badly are those.
//
// The sum over columns runs in slices: each gives a distance of its own, and those are added in ascending order. One image
// spreads its slices over a cluster, a batch does them one after the other: the bits are the same.
#pragma once

#include "common/kernel.cuh"
#include "topv/topv.h"

namespace topv::cuda::transport {

struct Image {
  int32_t w, h;
  int64_t token;   ///< its first row among those of the launch
  int64_t square;  ///< its first element of cost

  __host__ __device__ int64_t n() const { return int64_t{w} * h; }
};

/// The images of one launch, by value: 1.5 KB of a kernel's parameters.
struct Images {
  static constexpr int kMost = 64;
  Image of[kMost];
};

constexpr int kBlock = 32;  ///< columns that pack sums at once
constexpr int kStep = 64;   ///< columns of a step of the product: 128 bytes

/// What is summed over the columns of a row x_i, centred y_i.
enum class Sum { square, linear };  // |x_i|^2; |y_i|^2 + 2 (own centre - other centre) y_i

/// Intermediate results in scratch memory. Side 0 is S, 1 is T.
struct Packed {
  __nv_bfloat16 *source, *target;  ///< [rows, parts, depth], zeros from cols on
  float* sums;                     ///< [Sum, side, depth / kBlock, rows]
  int32_t* extremes;               ///< [images, 2]: least and most distance, as ordered() has them
  int64_t rows, depth;             ///< depth: cols, rounded up to kStep
  int parts;

  __host__ __device__ int64_t stride() const { return parts * depth; }
  __host__ __device__ float* sum(Sum what, int of_side, int64_t block) const {
    return sums + ((static_cast<int>(what) * 2 + of_side) * (depth / kBlock) + block) * rows;
  }
};

/// Slices of the sum over columns, in steps of kStep columns: 1024 columns each, or more where that would be more slices
/// than a cluster has blocks.
struct Slices {
  static constexpr int kMost = 8;
  int steps, of_slice, count;  ///< the last slice may have fewer steps

  __host__ __device__ explicit Slices(int64_t depth) {
    steps = static_cast<int>(depth / kStep);
    const int least = (steps + kMost - 1) / kMost;
    of_slice = least > 1024 / kStep ? least : 1024 / kStep;
    count = (steps + of_slice - 1) / of_slice;
  }
  __host__ __device__ int begin(int slice) const { return slice * of_slice; }
  __host__ __device__ int end(int slice) const { return slice + 1 < count ? (slice + 1) * of_slice : steps; }
};

/// x = part 0 + part 1 + part 2: products of the parts that matter. One part: its square. Three parts hold all 24 bits of
/// a float; the three products left out are below 2^-24 of the whole. The largest comes first here, and last in the sum:
/// tensor cores cut the sum off at every step, which costs half an ulp of what has been added so far.
template <int kParts>
struct Terms {
  static constexpr int count = kParts == 1 ? 1 : 6;
  static __device__ __forceinline__ int left(int term) { return 0x201100 >> 4 * term & 3; }
  static __device__ __forceinline__ int right(int term) { return 0x021010 >> 4 * term & 3; }
};

/// The second launch.
struct Distance {
  Packed packed;
  float* cost;  ///< of the launch's first image
  Images images;
  int count;
  int64_t largest;  ///< tokens of the largest image
};

/// Integers in the order of the floats.
__device__ __forceinline__ int32_t ordered(float x) {
  const int32_t bits = static_cast<int32_t>(__float_as_uint(x));
  return bits >= 0 ? bits : bits ^ 0x7fffffff;
}
__device__ __forceinline__ float from_ordered(int32_t bits) {
  return __uint_as_float(static_cast<uint32_t>(bits >= 0 ? bits : bits ^ 0x7fffffff));
}

/// Takes the extremes of a warp's distances into those of the image.
__device__ __forceinline__ void take_extremes(int32_t* extremes, float least, float most) {
#pragma unroll
  for (int lane = 16; lane > 0; lane /= 2) {
    least = fminf(least, __shfl_xor_sync(~0u, least, lane));
    most = fmaxf(most, __shfl_xor_sync(~0u, most, lane));
  }
  if (threadIdx.x % 32 == 0) {
    atomicMin(extremes, ordered(least));
    atomicMax(extremes + 1, ordered(most));
  }
}

/// What row `row` of a side adds to its distances over the columns of steps [first, last).
__device__ __forceinline__ float linear(const Packed& packed, int side, int64_t row, int first, int last) {
  constexpr int kEach = kStep / kBlock;
  const float* at = packed.sum(Sum::linear, side, first * kEach) + row;
  float sum = 0;
#pragma unroll 8
  for (int block = first * kEach; block < last * kEach; ++block, at += packed.rows) sum += *at;
  return sum;
}

}  // namespace topv::cuda::transport

namespace topv::cuda {

struct Run;

void transport_distance_wgmma(const Run& run, const transport::Distance& distance);
void transport_distance_mma(const Run& run, const transport::Distance& distance);

}  // namespace topv::cuda
