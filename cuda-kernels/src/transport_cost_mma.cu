// transport_cost: |S_i - T_j|^2 with mma.sync, for every GPU from Ampere on that is not a Hopper.
//
// Grid: tiles of the largest image in x, images in y; a block computes a tile of 64 x 64 where one image is all there is
// to do, else of 128 x 128. A ring of cp.async stages feeds ldmatrix; 16-byte piece c of row r lies at c ^ (r % 8), free of
// bank conflicts. Bound: the tensor cores (2 N^2 D), or reading tiles from L2 (2 N^2 D (1 / kM + 1 / kN) bytes).
#include "launch.hpp"
#include "transport_cost.cuh"

namespace topv::cuda {
namespace transport {
namespace {

template <int M, int N, int WarpM, int WarpN, int Blocks>
struct MmaTile {
  static constexpr int kM = M, kN = N, kWarpM = WarpM, kWarpN = WarpN;  ///< of a block, of a warp
  static constexpr int kBlocks = Blocks;                                ///< on a multiprocessor
  static constexpr int kThreads = 32 * (M / WarpM) * (N / WarpN);
  static constexpr int kStages = 3, kStage = (M + N) * kStep;  ///< elements
  static constexpr int kShared = kStages * kStage * 2 + (M + N) * 4;
};
using SmallTile = MmaTile<64, 64, 32, 32, 3>;
using LargeTile = MmaTile<128, 128, 64, 32, 1>;

/// Where piece c (8 columns) of row r is in a stage.
__device__ __forceinline__ int piece(int r, int c) { return r * kStep + (c ^ (r & 7)) * 8; }

template <typename Tile, int kParts>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks) distance_mma_kernel(Distance p) {
  constexpr int kM = Tile::kM, kN = Tile::kN, kThreads = Tile::kThreads;
  using Products = Terms<kParts>;
  TOPV_ARENA(arena);
  __nv_bfloat16* const ring = arena.take<__nv_bfloat16>(Tile::kStages * Tile::kStage, 128);
  float* const sums = arena.take<float>(kM + kN);
  const Image image = p.images.of[blockIdx.y];
  const int n = static_cast<int>(image.n()), tiles = (n + kN - 1) / kN;
  const int m0 = static_cast<int>(blockIdx.x) / tiles * kM, n0 = static_cast<int>(blockIdx.x) % tiles * kN;
  if (m0 >= n) return;
  const Slices slices(p.packed.depth);
  const int tid = static_cast<int>(threadIdx.x), warp = tid / 32, lane = tid % 32;
  const int warp_m = warp % (kM / Tile::kWarpM) * Tile::kWarpM,
            warp_n = warp / (kM / Tile::kWarpM) * Tile::kWarpN;

  // Products k of the sum: slice by slice, the columns of a term, 64 at a time, before those of the next.
  const int products = slices.steps * Products::count;
  const int64_t stride = p.packed.stride();
  const auto request = [&](int k) {
    if (k < products) {
      __nv_bfloat16* const stage = ring + k % Tile::kStages * Tile::kStage;
      const int slice = k / (slices.of_slice * Products::count), begin = slices.begin(slice);
      const int steps = slices.end(slice) - begin, i = k - begin * Products::count;
      const int term = Products::count - 1 - i / steps, column = (begin + i % steps) * kStep + tid % 8 * 8;
#pragma unroll
      for (int r = tid / 8; r < kM + kN; r += kThreads / 8) {
        const int side = r < kM ? 0 : 1, row = side == 0 ? m0 + r : n0 + r - kM;
        const int part = side == 0 ? Products::left(term) : Products::right(term);
        const bool inside = row < n;
        const __nv_bfloat16* from =
            (side == 0 ? p.packed.source : p.packed.target) + (image.token + (inside ? row : 0)) * stride;
        ptx::cp_async_16(stage + piece(r, tid % 8), from + part * p.packed.depth + column, inside);
      }
    }
    ptx::cp_async_commit();
  };

  float sum[Tile::kWarpM / 16][Tile::kWarpN / 8][4] = {}, total[Tile::kWarpM / 16][Tile::kWarpN / 8][4] = {};
  for (int k = 0; k < Tile::kStages - 1; ++k) request(k);
  for (int k = 0, slice = 0; k < products; ++k) {
    ptx::cp_async_wait<Tile::kStages - 2>();
    __syncthreads();
    request(k + Tile::kStages - 1);
    const __nv_bfloat16* const left = ring + k % Tile::kStages * Tile::kStage;
    const __nv_bfloat16* const right = left + kM * kStep;
#pragma unroll
    for (int c = 0; c < kStep / 8; c += 2) {
      uint32_t a[Tile::kWarpM / 16][4], b[Tile::kWarpN / 16][4];
#pragma unroll
      for (int i = 0; i < Tile::kWarpM / 16; ++i)
        ptx::ldmatrix_x4<false>(a[i], left + piece(warp_m + 16 * i + lane % 16, c + lane / 16));
#pragma unroll
      for (int j = 0; j < Tile::kWarpN / 16; ++j)
        ptx::ldmatrix_x4<false>(b[j],
                                right + piece(warp_n + 16 * j + lane / 16 * 8 + lane % 8, c + lane / 8 % 2));
#pragma unroll
      for (int i = 0; i < Tile::kWarpM / 16; ++i) {
#pragma unroll
        for (int j = 0; j < Tile::kWarpN / 8; ++j) {
          const uint32_t columns[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
          ptx::mma_m16n8k16_bf16(sum[i][j], a[i], columns);
        }
      }
    }
    if (k + 1 < slices.end(slice) * Products::count) continue;

    __syncthreads();  // the sums of the slice before have been read
    for (int r = tid; r < kM + kN; r += kThreads) {
      const int side = r < kM ? 0 : 1, row = side == 0 ? m0 + r : n0 + r - kM;
      sums[r] =
          row < n ? linear(p.packed, side, image.token + row, slices.begin(slice), slices.end(slice)) : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < Tile::kWarpM / 16; ++i) {
#pragma unroll
      for (int j = 0; j < Tile::kWarpN / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const float own = sums[warp_m + 16 * i + lane / 4 + e / 2 * 8];
          const float other = sums[kM + warp_n + 8 * j + lane % 4 * 2 + e % 2];
          total[i][j][e] += fmaf(-2.0f, sum[i][j][e], own + other);
          sum[i][j][e] = 0;
        }
      }
    }
    ++slice;
  }
  ptx::cp_async_wait<0>();

  float least = INFINITY, most = -INFINITY;
  float* const cost = p.cost + image.square;
#pragma unroll
  for (int i = 0; i < Tile::kWarpM / 16; ++i) {
#pragma unroll
    for (int j = 0; j < Tile::kWarpN / 8; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int row = m0 + warp_m + 16 * i + lane / 4 + e / 2 * 8,
                  column = n0 + warp_n + 8 * j + lane % 4 * 2 + e % 2;
        if (row >= n || column >= n) continue;
        cost[int64_t{row} * n + column] = total[i][j][e];
        least = fminf(least, total[i][j][e]);
        most = fmaxf(most, total[i][j][e]);
      }
    }
  }
  take_extremes(p.packed.extremes + 2 * blockIdx.y, least, most);
}

template <typename Tile>
int64_t tiles(int64_t n) {
  return ceil_div(n, Tile::kM) * ceil_div(n, Tile::kN);
}

template <typename Tile>
void launch_tiles(const Run& run, const Distance& p) {
  const dim3 grid(static_cast<unsigned>(tiles<Tile>(p.largest)), static_cast<unsigned>(p.count));
  launch(run, {grid, dim3(Tile::kThreads), Tile::kShared},
         p.packed.parts == 1 ? distance_mma_kernel<Tile, 1> : distance_mma_kernel<Tile, 3>, p);
}

}  // namespace
}  // namespace transport

void transport_distance_mma(const Run& run, const transport::Distance& p) {
  using namespace transport;
  int64_t large = 0;
  for (int m = 0; m < p.count; ++m) large += tiles<LargeTile>(p.images.of[m].n());
  large >= run.device.multiprocessors ? launch_tiles<LargeTile>(run, p) : launch_tiles<SmallTile>(run, p);
}

}  // namespace topv::cuda
