// transport_cost: |S_i - T_j|^2 on Hopper, by TMA and wgmma.
//
// Grid: tiles of 128 x kN in x (times the cluster), images in y. Two warpgroups multiply, 64 rows each; of the third, one
// thread keeps a ring of TMA loads full and three warps sum what rows add on their own. Where tiles are fewer than
// multiprocessors (one image), a cluster shares a tile: block r does slice r of the columns, and the distances of the slices
// are added through distributed shared memory in ascending order. In a batch each block does all slices, in the same order.
// Bound: the tensor cores (2 N^2 D), or reading tiles from L2 (2 N^2 D (1 / 128 + 1 / kN) bytes).
#include "launch.hpp"
#include "transport_cost.cuh"

namespace topv::cuda {
namespace transport {
namespace {

constexpr int kThreads = 384, kM = 128;

template <int N>
struct WgmmaTile {
  static constexpr int kN = N;
  static constexpr int kLeft = kM * kStep * 2, kStage = kLeft + N * kStep * 2;  ///< bytes
  static constexpr int kStages = N <= 96 ? 6 : 5;
  static constexpr int kRow = N + 4;  ///< floats from row to row of a finished tile: fewer bank conflicts
  static constexpr int kShared = kStages * kStage + 2 * kStages * 8 + 2 * (kM + N) * 4 + 64;
  static_assert(kM * kRow * 4 <= kStages * kStage, "the finished tile takes the place of the ring");
};

template <typename Tile, int kParts>
__global__ void __launch_bounds__(kThreads, 1)
    distance_wgmma_kernel(const __grid_constant__ ptx::TensorMap source,
                          const __grid_constant__ ptx::TensorMap target, const __grid_constant__ Distance p) {
#if TOPV_SM90A
  constexpr int kN = Tile::kN, kStages = Tile::kStages;
  constexpr int kMultiply = 256, kSum = 96;        // threads that do
  enum Barrier { kBlock, kSumsReady, kRingIdle };  // named barriers; 0 is __syncthreads()
  using Products = Terms<kParts>;
  TOPV_ARENA(arena);
  unsigned char* const ring = arena.take<unsigned char>(kStages * Tile::kStage, 1024);
  uint64_t* const full = arena.take<uint64_t>(kStages);
  uint64_t* const empty = arena.take<uint64_t>(kStages);
  float* const sums = arena.take<float>(2 * (kM + kN));  // of two slices
  const Image image = p.images.of[blockIdx.y];
  const int n = static_cast<int>(image.n()), tiles = (n + kN - 1) / kN;
  const int rank = static_cast<int>(ptx::cluster_rank()), size = static_cast<int>(ptx::cluster_size());
  const int tile = static_cast<int>(blockIdx.x) / size, m0 = tile / tiles * kM, n0 = tile % tiles * kN;
  if (m0 >= n) return;  // the whole cluster
  const Slices slices(p.packed.depth);
  const int tid = static_cast<int>(threadIdx.x), group = tid / 128, warp = tid / 32, lane = tid % 32;

  if (tid == 0) {
    for (int stage = 0; stage < kStages; ++stage) {
      ptx::mbar_init(full + stage, 1);
      ptx::mbar_init(empty + stage, kMultiply / 128);
    }
    ptx::mbar_init_fence();
  }
  __syncthreads();

  if (group == 2) {
    ptx::setmaxnreg_dec<40>();
    if (warp == kThreads / 32 - 1) {
      if (lane == 0) {
        const int depth = static_cast<int>(p.packed.depth), row = static_cast<int>(image.token);
        int k = 0;
        for (int slice = rank; slice < slices.count; slice += size) {
          for (int term = Products::count - 1; term >= 0; --term) {
            for (int step = slices.begin(slice); step < slices.end(slice); ++step, ++k) {
              const int stage = k % kStages;
              if (k >= kStages) ptx::mbar_wait(empty + stage, (k / kStages - 1) & 1);
              ptx::mbar_arrive_expect(full + stage, Tile::kStage);
              unsigned char* const at = ring + stage * Tile::kStage;
              ptx::tma_load_2d(at, &source, Products::left(term) * depth + step * kStep, row + m0,
                               full + stage);
              ptx::tma_load_2d(at + Tile::kLeft, &target, Products::right(term) * depth + step * kStep,
                               row + n0, full + stage);
            }
          }
        }
      }
      __syncwarp();
    } else {
      float* into = sums;
      for (int slice = rank; slice < slices.count; slice += size) {
        for (int r = tid - kMultiply; r < kM + kN; r += kSum) {
          const int side = r < kM ? 0 : 1, at = side == 0 ? m0 + r : n0 + r - kM;
          into[r] = at < n ? linear(p.packed, side, image.token + at, slices.begin(slice), slices.end(slice))
                           : 0.0f;
        }
        ptx::bar_sync(kSumsReady, kMultiply + kSum);
        into = into == sums ? sums + kM + kN : sums;  // read before the barrier of the next slice
      }
    }
    ptx::cluster_sync();
    ptx::cluster_sync();
    return;
  }

  ptx::setmaxnreg_inc<232>();
  float sum[kN / 2], total[kN / 2] = {};                                         // of the warpgroup's 64 rows
  const int row = group * 64 + warp % 4 * 16 + lane / 4, column = lane % 4 * 2;  // of element 0
  const float* from = sums;
  int k = 0;
  for (int slice = rank; slice < slices.count; slice += size) {
    const int first = k, end = k + (slices.end(slice) - slices.begin(slice)) * Products::count;
    for (; k < end; ++k) {
      const int stage = k % kStages;
      ptx::mbar_wait(full + stage, (k / kStages) & 1);
      const unsigned char* const at = ring + stage * Tile::kStage;
      const auto left = ptx::wg_desc(at + group * 64 * 128), right = ptx::wg_desc(at + Tile::kLeft);
      ptx::wgmma_fence();
#pragma unroll
      for (int c = 0; c < kStep / 16; ++c) {
        ptx::wgmma<kN, __nv_bfloat16>(sum, ptx::wg_advance(left, c * 32), ptx::wg_advance(right, c * 32),
                                      k > first || c > 0);
      }
      ptx::wgmma_commit();
      ptx::wgmma_wait<1>();  // the stage before this one has been read
      if (k > first && tid % 128 == 0) ptx::mbar_arrive(empty + (k - 1) % kStages);
    }
    ptx::wgmma_wait<0>(sum);
    if (tid % 128 == 0) ptx::mbar_arrive(empty + (k - 1) % kStages);

    ptx::bar_sync(kSumsReady, kMultiply + kSum);
#pragma unroll
    for (int e = 0; e < kN / 2; ++e) {
      const float alone = from[row + e / 2 % 2 * 8] + from[kM + column + e / 4 * 8 + e % 2];
      total[e] += fmaf(-2.0f, sum[e], alone);
    }
    from = from == sums ? sums + kM + kN : sums;
  }
  ptx::bar_sync(kRingIdle, kMultiply);

  float* const finished = reinterpret_cast<float*>(ring);
#pragma unroll
  for (int e = 0; e < kN / 2; e += 2) {
    float* const at = finished + (row + e / 2 % 2 * 8) * Tile::kRow + column + e / 4 * 8;
    *reinterpret_cast<float2*>(at) = float2{total[e], total[e + 1]};
  }
  ptx::cluster_sync();
  float least = INFINITY, most = -INFINITY;
  float* const cost = p.cost + image.square;
  for (int e = rank * kMultiply + tid; e < kM * kN; e += size * kMultiply) {
    const int r = e / kN, c = e % kN;
    if (m0 + r >= n || n0 + c >= n) continue;
    float distance = 0;
    for (int peer = 0; peer < size; ++peer)
      distance += ptx::map_rank(finished, static_cast<unsigned>(peer))[r * Tile::kRow + c];
    cost[int64_t{m0 + r} * n + n0 + c] = distance;
    least = fminf(least, distance);
    most = fmaxf(most, distance);
  }
  take_extremes(p.packed.extremes + 2 * blockIdx.y, least, most);
  ptx::cluster_sync();  // nobody leaves while a peer still reads
#endif
}

template <typename Tile>
int64_t tiles(int64_t n) {
  return ceil_div(n, kM) * ceil_div(n, Tile::kN);
}

template <typename Tile>
void launch_tiles(const Run& run, const Distance& p, int cluster) {
  const Packed& packed = p.packed;
  const auto map = [&](const __nv_bfloat16* rows, int box) {
    return ptx::make_tensor_map(rows, {packed.stride(), packed.rows}, {packed.stride()}, {kStep, box});
  };
  const dim3 grid(static_cast<unsigned>(tiles<Tile>(p.largest) * cluster), static_cast<unsigned>(p.count));
  launch(run, {grid, dim3(kThreads), Tile::kShared, static_cast<unsigned>(cluster)},
         packed.parts == 1 ? distance_wgmma_kernel<Tile, 1> : distance_wgmma_kernel<Tile, 3>,
         map(packed.source, kM), map(packed.target, Tile::kN), p);
}

}  // namespace
}  // namespace transport

void transport_distance_wgmma(const Run& run, const transport::Distance& p) {
  using namespace transport;
  using Narrow = WgmmaTile<96>;
  using Wide = WgmmaTile<192>;
  int64_t wide = 0;
  for (int m = 0; m < p.count; ++m) wide += tiles<Wide>(p.images.of[m].n());
  if (wide >= run.device.multiprocessors) {
    launch_tiles<Wide>(run, p, 1);
  } else {
    launch_tiles<Narrow>(run, p, Slices(p.packed.depth).count);
  }
}

}  // namespace topv::cuda
