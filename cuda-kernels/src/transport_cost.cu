// C = alpha * Cf + beta * Cs + gamma * Ce per image, and the norms of the features (transport_cost.cuh: how).
//
// pack: a block per 32 columns of an image, both sides, all rows; reads them twice (once from memory, once from a cache).
// finish: a block per 4 rows of an image. Both are bound by memory bandwidth: 2 N D elements read and written; N^2 floats.
// Limits: 3 launches per 64 images or 384 MiB of packed features.
#include "transport_cost.cuh"

#include <algorithm>

#include "common/elements.cuh"
#include "common/report.cuh"
#include "kernels.h"
#include "launch.hpp"

namespace topv::cuda {
namespace transport {
namespace {

constexpr int kThreads = 256;
constexpr int kColumns = 8;                // of a thread
constexpr int kLanes = kBlock / kColumns;  // threads of a row
constexpr int kRows = kThreads / kLanes;   // rows at once
constexpr int kWarps = kThreads / 32;
constexpr int64_t kPackedBytes = int64_t{384} << 20;

struct Side {
  const void* data;
  int64_t ld;
  bool vector;  // rows may be read in pieces of 16 bytes
};

/// The features of a launch's images.
struct Features {
  Side source, target;
  const int32_t* row_index;  // nullable
  int64_t rows, cols;
  int64_t token;  // the launch's first: in row_index, or as a row
  Fault* fault;
};

/// Row of token i of the launch; -1 where its index is outside the arrays.
__device__ __forceinline__ int64_t row_of(const Features& f, int64_t i) {
  if (f.row_index == nullptr) return f.token + i;
  const int64_t row = f.row_index[f.token + i];
  return row >= 0 && row < f.rows ? row : -1;
}

/// Eight elements as floats.
__device__ __forceinline__ void load_vector(const float* at, float (&x)[kColumns]) {
  const float4 low = reinterpret_cast<const float4*>(at)[0], high = reinterpret_cast<const float4*>(at)[1];
  x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
  x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
}
__device__ __forceinline__ void load_vector(const __nv_bfloat16* at, float (&x)[kColumns]) {
  const uint4 pairs = *reinterpret_cast<const uint4*>(at);
  const uint32_t words[4] = {pairs.x, pairs.y, pairs.z, pairs.w};
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    x[2 * k] = __uint_as_float(words[k] << 16);
    x[2 * k + 1] = __uint_as_float(words[k] & 0xffff0000u);
  }
}

/// Features c .. c + 8 of a row (-1: none); zeros past the last column.
template <typename T>
__device__ __forceinline__ void load(const Side& side, int64_t row, int64_t c, int64_t cols,
                                     float (&x)[kColumns]) {
  const T* at = static_cast<const T*>(side.data) + row * side.ld + c;
  if (row >= 0 && side.vector && c + kColumns <= cols) return load_vector(at, x);
#pragma unroll
  for (int k = 0; k < kColumns; ++k) x[k] = row >= 0 && c + k < cols ? to_float(at[k]) : 0.0f;
}

/// The midrange of a column where subtracting it is exact, else 0.
template <typename T>
__device__ __forceinline__ float centre(float least, float most) {
  const float near = fminf(fabsf(least), fabsf(most)), far = fmaxf(fabsf(least), fabsf(most));
  const bool exact = least * most > 0 && far <= 3 * near;
  return exact ? to_float(from_float<T>(0.5f * (least + most))) : 0.0f;
}

template <typename T, int kParts>
__global__ void __launch_bounds__(kThreads) pack_kernel(Features f, Packed packed, Images images) {
  TOPV_SHARED(float, range, [2][2][kWarps][kBlock]);  // [side][least, most]
  TOPV_SHARED(float, centres, [2][kBlock]);
  const Image image = images.of[blockIdx.y];
  const int64_t n = image.n();
  const int tid = static_cast<int>(threadIdx.x), lane = tid % kLanes, first = tid / kLanes;
  const int64_t c = int64_t{blockIdx.x} * kBlock + lane * kColumns;

  if (blockIdx.x == 0) {
    if (tid < 2) packed.extremes[2 * blockIdx.y + tid] = ordered(tid == 0 ? INFINITY : -INFINITY);
    for (int64_t i = tid; i < n; i += kThreads) {
      const int64_t token = image.token + i;
      if (row_of(f, token) < 0) {
        report(f.fault, FaultKind::transport_cost_row, f.token + token, f.row_index[f.token + token], f.rows);
      }
    }
  }

  for (int side = 0; side < 2; ++side) {
    const Side features = side == 0 ? f.source : f.target;
    float least[kColumns], most[kColumns];
#pragma unroll
    for (int k = 0; k < kColumns; ++k) least[k] = INFINITY, most[k] = -INFINITY;
#pragma unroll 4
    for (int64_t i = first; i < n; i += kRows) {
      float x[kColumns];
      load<T>(features, row_of(f, image.token + i), c, f.cols, x);
#pragma unroll
      for (int k = 0; k < kColumns; ++k) least[k] = fminf(least[k], x[k]), most[k] = fmaxf(most[k], x[k]);
    }
#pragma unroll
    for (int k = 0; k < kColumns; ++k) {
#pragma unroll
      for (int other = kLanes; other < 32; other *= 2) {
        least[k] = fminf(least[k], __shfl_xor_sync(~0u, least[k], other));
        most[k] = fmaxf(most[k], __shfl_xor_sync(~0u, most[k], other));
      }
      if (tid % 32 < kLanes) {
        range[side][0][tid / 32][lane * kColumns + k] = least[k];
        range[side][1][tid / 32][lane * kColumns + k] = most[k];
      }
    }
  }
  __syncthreads();
  if (tid < 2 * kBlock) {
    const int side = tid / kBlock, column = tid % kBlock;
    float least = INFINITY, most = -INFINITY;
#pragma unroll
    for (int warp = 0; warp < kWarps; ++warp) {
      least = fminf(least, range[side][0][warp][column]);
      most = fmaxf(most, range[side][1][warp][column]);
    }
    centres[side][column] = centre<T>(least, most);
  }
  __syncthreads();

  for (int side = 0; side < 2; ++side) {
    const Side features = side == 0 ? f.source : f.target;
    __nv_bfloat16* const rows =
        (side == 0 ? packed.source : packed.target) + image.token * packed.stride() + c;
    float own[kColumns], shift[kColumns];
#pragma unroll
    for (int k = 0; k < kColumns; ++k) {
      own[k] = centres[side][lane * kColumns + k];
      shift[k] = 2 * (own[k] - centres[1 - side][lane * kColumns + k]);
    }
    float* const squares = packed.sum(Sum::square, side, blockIdx.x) + image.token;
    float* const linears = packed.sum(Sum::linear, side, blockIdx.x) + image.token;
    for (int64_t begin = 0; begin < n; begin += kRows) {
      const int64_t i = begin + first;
      float x[kColumns];
      load<T>(features, i < n ? row_of(f, image.token + i) : -1, c, f.cols, x);
      float square = 0, linear = 0;
#pragma unroll
      for (int k = 0; k < kColumns; ++k) {
        square = fmaf(x[k], x[k], square);
        x[k] -= own[k];
        linear = fmaf(x[k], x[k] + shift[k], linear);
      }
#pragma unroll
      for (int other = 1; other < kLanes; other *= 2) {
        square += __shfl_xor_sync(~0u, square, other);
        linear += __shfl_xor_sync(~0u, linear, other);
      }
      if (i >= n) continue;
      if (lane == 0) squares[i] = square;
      if (lane == 1) linears[i] = linear;
      __nv_bfloat16* row = rows + i * packed.stride();
#pragma unroll
      for (int part = 0; part < kParts; ++part, row += packed.depth) {
        uint32_t words[kColumns / 2];
#pragma unroll
        for (int k = 0; k < kColumns / 2; ++k) {
          words[k] = ptx::pack_bf16(x[2 * k], x[2 * k + 1]);
          x[2 * k] -= __uint_as_float(words[k] << 16);
          x[2 * k + 1] -= __uint_as_float(words[k] & 0xffff0000u);
        }
        *reinterpret_cast<uint4*>(row) = make_uint4(words[0], words[1], words[2], words[3]);
      }
    }
  }
}

// ---- finish

constexpr int kFinishRows = 4;

struct Finish {
  Packed packed;
  float *cost, *source_norm, *target_norm;  // of the launch's first image
  float alpha, beta, gamma, sigma;
};

/// The block's rows' norms: kFinishRows rows of both sides, each summed by 32 threads.
__device__ __forceinline__ void norms(const Finish& p, const Image& image, int64_t first) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int side = warp / kFinishRows;
  const int64_t i = first + warp % kFinishRows;
  if (i >= image.n()) return;  // the whole warp
  const float* sums = p.packed.sum(Sum::square, side, 0) + image.token + i;
  float sum = 0;
#pragma unroll 4
  for (int64_t block = lane; block < p.packed.depth / kBlock; block += 32) sum += sums[block * p.packed.rows];
#pragma unroll
  for (int other = 16; other > 0; other /= 2) sum += __shfl_xor_sync(~0u, sum, other);
  if (lane == 0) (side == 0 ? p.source_norm : p.target_norm)[image.token + i] = sqrtf(sum);
}

__global__ void __launch_bounds__(kThreads) finish_kernel(Finish p, Images images) {
  static_assert(kWarps == 2 * kFinishRows, "a warp per row and side");
  TOPV_ARENA(arena);
  const Image image = images.of[blockIdx.y];
  const int64_t n = image.n(), first = int64_t{blockIdx.x} * kFinishRows;
  if (first >= n) return;
  const int tid = static_cast<int>(threadIdx.x);
  norms(p, image, first);

  // The Gaussian of a distance is the product of those along x and along y.
  float* const bell = arena.take<float>(image.w + image.h);
  for (int d = tid; d < image.w + image.h; d += kThreads) {
    const float ratio = static_cast<float>(d < image.w ? d : d - image.w) / p.sigma;
    bell[d] = expf(-0.5f * ratio * ratio);
  }
  __syncthreads();
  const float* const bell_y = bell + image.w;

  const int32_t* extremes = p.packed.extremes + 2 * blockIdx.y;
  const float lowest = from_ordered(extremes[0]), range = from_ordered(extremes[1]) - lowest;
  const float scale = range > 0 ? p.alpha / range : 0.0f;  // all equal: Cf = 0
  const int w = image.w;
  for (int64_t i = first; i < first + kFinishRows && i < n; ++i) {
    const int x = static_cast<int>(i % w), y = static_cast<int>(i / w);
    const float cx = static_cast<float>(x) - 0.5f * static_cast<float>(w - 1);
    const float cy = static_cast<float>(y) - 0.5f * static_cast<float>(image.h - 1);
    const float central = p.gamma * sqrtf(cx * cx + cy * cy);
    float* const row = p.cost + image.square + i * n;
#pragma unroll 4
    for (int j = tid; j < static_cast<int>(n); j += kThreads) {
      const int v = j / w, u = j - v * w;
      const float gaussian = bell[abs(u - x)] * bell_y[abs(v - y)];
      row[j] = (row[j] - lowest) * scale + p.beta * (1.0f - gaussian) + central;
    }
  }
}

/// Images of a launch, and what is to know of them.
struct Chunk {
  Images images;
  int count = 0;
  int64_t rows = 0, squares = 0;
  int64_t largest = 0, longest = 0;  ///< most tokens; most w + h

  /// The images from `first` on, as many as one launch takes.
  Chunk(const topv_transport_cost_params& p, int first, int64_t most_rows) {
    for (int m = first; m < p.images && count < Images::kMost; ++m) {
      const Image image = {p.grid_w[m], p.grid_h[m], rows, squares};
      const int64_t n = image.n();
      if (count > 0 && rows + n > most_rows) break;
      images.of[count++] = image;
      rows += n;
      squares += n * n;
      largest = std::max(largest, n);
      longest = std::max(longest, int64_t{image.w} + image.h);
    }
  }
};

}  // namespace
}  // namespace transport

void transport_cost(const Run& run, const topv_transport_cost_params& p) {
  using namespace transport;
  const bool wide = p.dtype == TOPV_F32;
  const int64_t element = wide ? 4 : 2;
  Packed packed;
  packed.parts = wide ? 3 : 1;
  packed.depth = ceil_div(p.cols, kStep) * kStep;
  const int64_t most_rows = kPackedBytes / (2 * packed.stride() * int64_t{sizeof(__nv_bfloat16)});
  const auto side = [&](const void* data, int64_t ld) {
    return Side{data, ld, reinterpret_cast<uintptr_t>(data) % 16 == 0 && ld * element % 16 == 0};
  };
  Features features = {
      side(p.source, p.ld_source), side(p.target, p.ld_target), p.row_index, p.rows, p.cols, 0, run.fault};
  Finish finish = {packed, p.cost, p.source_norm, p.target_norm, p.alpha, p.beta, p.gamma, p.sigma};

  for (int first = 0; first < p.images;) {
    const Chunk chunk(p, first, most_rows);
    const unsigned count = static_cast<unsigned>(chunk.count);
    run.scratch.reset();  // the launches before this one are done with it by then
    packed.rows = chunk.rows;
    packed.source = run.scratch.take<__nv_bfloat16>(packed.rows * packed.stride());
    packed.target = run.scratch.take<__nv_bfloat16>(packed.rows * packed.stride());
    packed.sums = run.scratch.take<float>(4 * packed.depth / kBlock * packed.rows);
    packed.extremes = run.scratch.take<int32_t>(2 * chunk.count);

    launch(run, {dim3(static_cast<unsigned>(packed.depth / kBlock), count), dim3(kThreads)},
           wide ? pack_kernel<float, 3> : pack_kernel<__nv_bfloat16, 1>, features, packed, chunk.images);
    const Distance distance = {packed, finish.cost, chunk.images, chunk.count, chunk.largest};
    run.device.hopper() ? transport_distance_wgmma(run, distance) : transport_distance_mma(run, distance);
    finish.packed = packed;
    launch(run,
           {dim3(static_cast<unsigned>(ceil_div(chunk.largest, kFinishRows)), count), dim3(kThreads),
            static_cast<size_t>(chunk.longest) * sizeof(float)},
           finish_kernel, finish, chunk.images);

    first += chunk.count;
    features.token += chunk.rows;
    finish.cost += chunk.squares;
    finish.source_norm += chunk.rows;
    finish.target_norm += chunk.rows;
  }
}

}  // namespace topv::cuda
