// What the forms of sinkhorn share: the images of a launch, the order of the half steps, the arithmetic.
//
//   sinkhorn.cu          the launcher: which image is solved by which form
//   sinkhorn_cluster.cu  Hopper, N <= 768: one image per cluster, K in registers
//   sinkhorn_grid.cu     every GPU, every N: the blocks of a cooperative grid, K computed from C where it is used; and
//                        the logarithmic domain, for images whose sums leave float32
//
// All forms take the half steps in this order (u = v = 1 at first, 0 where printed; r = K v, c = K' u):
//
//   for i in 0 .. iterations:           u first (unbalanced, standard_uv)     v first (the others)
//     r                                 always                                i > 0
//     u = (p / r)^power                 i < iterations                        i > 0, not one_sided
//     c, v = (q / c)^power              i < iterations                        i < iterations
//   I = u * r, where printed with the potentials v instead of their exponentials in r
#pragma once

#include "common/report.cuh"
#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda::transport {

constexpr int kImages = 64;                       // per launch
constexpr float kSmall = 1e-30f, kLarge = 1e30f;  // sums outside lose precision to the underflow of K

enum Status : int {
  kGood,
  kRange,  // float32 did not suffice
  kFaulty  // reported; nothing is written
};

/// What is known of an image once the scaling form has ended.
struct State {
  int status;
  float shift;  // K = exp(-(C - shift) / epsilon)
};

struct Image {
  int64_t cost, token;  // where it begins in the matrices and in the packed vectors
  int32_t tokens;
  int32_t index;  // its number in the call
};

/// The images of a launch; passed by value.
struct Batch {
  const float *cost, *source_weight, *target_weight;
  float* importance;
  Fault* fault;
  State* state;  // [images of the call]
  float *p, *q;  // marginals, [sum N]
  int32_t solver, iterations;
  float epsilon, power;  // power = lambda / (lambda + epsilon), 1 for the balanced solvers
  int32_t images;
  Image image[kImages];

  __device__ __forceinline__ bool printed() const { return solver == TOPV_SOLVER_PRINTED; }
  __device__ __forceinline__ bool u_first() const {
    return solver == TOPV_SOLVER_UNBALANCED || solver == TOPV_SOLVER_STANDARD_UV;
  }
  /// Whether step i computes r, and u from it.
  __device__ __forceinline__ bool reads_v(int i) const { return i > 0 || u_first(); }
  __device__ __forceinline__ bool updates_u(int i) const {
    return u_first() ? i < iterations : i > 0 && solver != TOPV_SOLVER_ONE_SIDED;
  }
};

/// K from C.
struct Gibbs {
  float shift, factor;
  __device__ __forceinline__ Gibbs(float shift_of, float epsilon)
      : shift(shift_of), factor(-1.4426950408889634f / epsilon) {}
  __device__ __forceinline__ float operator()(float cost) const { return exp2f((cost - shift) * factor); }
};

__device__ __forceinline__ bool finite(float x) { return fabsf(x) < INFINITY; }

/// (weight / sum)^power; good becomes false where float32 does not suffice.
__device__ __forceinline__ float scale(float weight, float sum, float power, bool& good) {
  const float ratio = weight / sum;
  const float result = power == 1.0f ? ratio : powf(ratio, power);
  good = good && sum >= kSmall && sum <= kLarge && result <= kLarge;
  return result;
}

/// Over a warp, the same in every lane; sums have a fixed order.
template <typename T>
__device__ __forceinline__ T warp_sum(T x) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(~0u, x, step);
  return x;
}
template <typename T>
__device__ __forceinline__ T warp_max(T x) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    const T other = __shfl_xor_sync(~0u, x, step);
    x = other > x ? other : x;
  }
  return x;
}

/// Sum of an image's weights by a whole warp, in double; 0 where there are none (uniform). A weight that is negative
/// or not finite, or only zeros, is reported and gives NaN.
__device__ __forceinline__ double weight_sum(const Batch& b, const Image& image, bool source) {
  const float* weight = source ? b.source_weight : b.target_weight;
  if (weight == nullptr) return 0;
  const int lane = int(threadIdx.x) % 32;
  weight += image.token;
  double sum = 0;
  bool good = true;
#pragma unroll 8
  for (int i = lane; i < image.tokens; i += 32) {
    good = good && weight[i] >= 0 && finite(weight[i]);
    sum += static_cast<double>(weight[i]);
  }
  sum = warp_sum(sum);
  good = __all_sync(~0u, good);
  if (good && sum > 0) return sum;
  if (good && lane == 0) {
    report(b.fault, source ? FaultKind::sinkhorn_source_zero : FaultKind::sinkhorn_target_zero, image.index);
  }
  const FaultKind kind = source ? FaultKind::sinkhorn_source_weight : FaultKind::sinkhorn_target_weight;
  for (int i = lane; !good && i < image.tokens; i += 32)
    if (!(weight[i] >= 0 && finite(weight[i]))) report(b.fault, kind, i, image.index, 0, weight[i]);
  return NAN;
}

/// p[i] or q[i] given weight_sum().
__device__ __forceinline__ float marginal(const float* weight, const Image& image, int i, double sum) {
  if (weight == nullptr) return 1.0f / static_cast<float>(image.tokens);
  return static_cast<float>(static_cast<double>(weight[image.token + i]) / sum);
}

/// Reports the costs of row i that are not finite, by a whole warp.
__device__ __forceinline__ void report_costs(const Batch& b, const Image& image, int i) {
  const float* row = b.cost + image.cost + int64_t{i} * image.tokens;
  for (int j = int(threadIdx.x) % 32; j < image.tokens; j += 32)
    if (!finite(row[j])) report(b.fault, FaultKind::sinkhorn_cost, i, j, image.index, row[j]);
}

/// The clusters' form for an image: rows of a chunk per warp, 1..kMostRows; 0 where there is none.
constexpr int kMostRows = 4;
int cluster_rows(const Run& run, int64_t tokens);

/// The scaling form for a batch: status and importance of each image; for those in kRange the marginals.
/// False, and nothing is done, where such clusters do not fit the device.
bool scale_on_clusters(const Run& run, const Batch& batch, int rows);
void scale_on_grid(const Run& run, const Batch& batch);
/// Solves the images in kRange in the logarithmic domain.
void solve_logarithms(const Run& run, const Batch& batch);

}  // namespace topv::cuda::transport
