// out = softmax(scale q k^T + mask) v for bfloat16 and float16, on the tensor cores of Ampere and later (mma.sync).
//
// Grid: heads x tiles of kRows queries, see PrefillTile. A warp has 32 queries and keeps scores and results in registers;
// K and V come in tiles of 64 or 48 keys by cp.async, each while the other is multiplied. Rows in shared memory are an odd
// number of 16-byte pieces apart, so that the eight rows which an ldmatrix reads lie in different banks.
// Bound: tensor cores. Limits: D <= 128 (zeros fill up to kDim), scale > 0, 16-byte aligned rows.
#include "attention_prefill.cuh"
#include "attention_softmax.cuh"
#include "common/elements.cuh"

namespace topv::cuda {
namespace {

constexpr int kWarps = 4, kThreads = kWarps * 32;
constexpr int kTiles = 2;  // of 16 queries, per warp
constexpr int kWarpRows = kTiles * 16, kRows = kWarps * kWarpRows;

/// Keys of a tile: as many as leave scores and results in registers.
template <int kDim>
constexpr int kKeysOf = kDim <= 96 ? 64 : 48;

/// Rows of kDim elements in shared memory.
template <typename T, int kDim>
struct Rows {
  static constexpr int kPieces = kDim / 8, kPitch = kDim + 8;
  static_assert(kPitch / 8 % 2 == 1);
  T* base;

  __device__ __forceinline__ T* at(int row, int d) const { return base + row * kPitch + d; }

  /// Copies rows by cp.async: source(i) names row i in global memory (nullptr: zeros). Elements from dim on are zero. What
  /// copies nothing names global memory all the same: anywhere.
  template <typename Source>
  __device__ __forceinline__ void copy(int rows, int dim, const T* anywhere, const Source& source) const {
    constexpr int kStep = kThreads / kPieces;  // rows at a time; the threads left over idle
    const int piece = static_cast<int>(threadIdx.x) % kPieces;
    for (int i = static_cast<int>(threadIdx.x) / kPieces; i < rows; i += kStep) {
      if (kThreads % kPieces != 0 && threadIdx.x >= kStep * kPieces) break;
      const T* from = source(i);
      const bool valid = from != nullptr && piece * 8 < dim;
      ptx::cp_async_16(at(i, piece * 8), valid ? from + piece * 8 : anywhere, valid);
    }
  }
};

/// Operand or accumulators j of several that follow each other.
template <typename U, int N>
__device__ __forceinline__ U (&slice(U (&all)[N], int j))[4] {
  return reinterpret_cast<U(&)[4]>(all[4 * j]);
}

template <typename T, int kDim>
__global__ void __launch_bounds__(kThreads, 2) attention_prefill_mma_kernel(Attention p) {
  constexpr int kKeys = kKeysOf<kDim>;
  using Tile = Rows<T, kDim>;
  TOPV_ARENA(arena);
  const Tile queries = {arena.take<T>(kRows * Tile::kPitch)};
  const Tile keys = {arena.take<T>(kKeys * Tile::kPitch)};
  const Tile values = {arena.take<T>(kKeys * Tile::kPitch)};

  const PrefillTile tile = prefill_tile(p, kRows);
  Sequence s;
  if (!load_sequence<AttentionOp::prefill>(p, tile.b, s) || tile.first >= s.queries) return;
  const int rows = s.queries - tile.first < kRows ? s.queries - tile.first : kRows;
  const int dim = p.head_dim, kv_head = tile.head / p.group;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int warp_row = warp * kWarpRows;
  const T* const q =
      static_cast<const T*>(p.q) + int64_t{s.first_query + tile.first} * p.ldq + tile.head * dim;
  const T* const k = static_cast<const T*>(p.k) + kv_head * dim;
  const T* const v = static_cast<const T*>(p.v) + kv_head * dim;

  const Window window = cuda::window(p, s);
  // Keys that the block sees, and those that this warp sees.
  const int begin = window.of(tile.first).begin / kKeys * kKeys;
  const int end = window.of(tile.first + rows - 1).end;
  int warp_begin = 0, warp_end = 0, full_begin = 0, full_end = 0;  // some row, every row
  if (warp_row < rows) {
    const int last = warp_row + kWarpRows < rows ? warp_row + kWarpRows - 1 : rows - 1;
    const Visible first_row = window.of(tile.first + warp_row), last_row = window.of(tile.first + last);
    warp_begin = first_row.begin, warp_end = last_row.end;
    full_begin = last_row.begin, full_end = first_row.end;
  }
  const T* const anywhere = static_cast<const T*>(p.q);
  const auto copy = [&](const Tile& to, const T* base, int64_t ld, int first) {
    to.copy(kKeys, dim, anywhere, [&](int i) -> const T* {
      const int64_t row = first + i < end ? key_row<AttentionOp::prefill>(p, s, first + i) : -1;
      return row < 0 ? nullptr : base + row * ld;
    });
    ptx::cp_async_commit();
  };

  const float factor = score_factor(p);
  Softmax softmax[kTiles];
  float result[kTiles][kDim / 2] = {};

  queries.copy(kRows, dim, anywhere, [&](int i) { return i < rows ? q + i * p.ldq : nullptr; });
  copy(keys, k, p.ldk, begin);
  for (int first = begin; first < end; first += kKeys) {
    const bool busy = first < warp_end && first + kKeys > warp_begin;
    float scores[kTiles][kKeys / 2] = {};

    ptx::cp_async_wait<0>();
    __syncthreads();  // the keys have come, the values before have been used
    copy(values, v, p.ldv, first);
    if (busy) {
#pragma unroll
      for (int d = 0; d < kDim; d += 16) {
        uint32_t a[kTiles][4];
#pragma unroll
        for (int m = 0; m < kTiles; ++m) {
          ptx::ldmatrix_x4<false>(a[m], queries.at(warp_row + m * 16 + lane % 16, d + lane / 16 * 8));
        }
#pragma unroll
        for (int j = 0; j < kKeys; j += 16) {
          uint32_t b[4];
          ptx::ldmatrix_x4<false>(b, keys.at(j + lane % 8 + lane / 16 * 8, d + lane / 8 % 2 * 8));
          const uint32_t b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
#pragma unroll
          for (int m = 0; m < kTiles; ++m) {
            ptx::mma_m16n8k16<T>(slice(scores[m], j / 8), a[m], b0);
            ptx::mma_m16n8k16<T>(slice(scores[m], j / 8 + 1), a[m], b1);
          }
        }
      }
    }

    if (busy) {
      const bool partial = first < full_begin || first + kKeys > full_end;
#pragma unroll
      for (int m = 0; m < kTiles; ++m) {
        if (p.softcap > 0) cap(p, scores[m]);
        if (partial) mask(window, tile.first + warp_row + m * 16 + lane / 4, first, scores[m]);
      }
    }

    ptx::cp_async_wait<0>();
    __syncthreads();  // the values have come, the keys have been used
    if (first + kKeys < end) copy(keys, k, p.ldk, first + kKeys);
    if (!busy) continue;

    uint32_t weights[kTiles][kKeys / 4];
#pragma unroll
    for (int m = 0; m < kTiles; ++m) {
      float rescale[2];
      if (softmax[m].raise(scores[m], factor, rescale)) {
#pragma unroll
        for (int i = 0; i < kDim / 2; ++i) result[m][i] *= rescale[i % 4 / 2];
      }
      softmax[m].weigh(scores[m], factor);
#pragma unroll
      for (int i = 0; i < kKeys / 4; ++i)
        weights[m][i] = ptx::pack<T>(scores[m][2 * i], scores[m][2 * i + 1]);
    }
#pragma unroll
    for (int j = 0; j < kKeys; j += 16) {
#pragma unroll
      for (int d = 0; d < kDim; d += 16) {
        uint32_t b[4];
        ptx::ldmatrix_x4<true>(b, values.at(j + lane % 16, d + lane / 16 * 8));
        const uint32_t b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
#pragma unroll
        for (int m = 0; m < kTiles; ++m) {
          ptx::mma_m16n8k16<T>(slice(result[m], d / 8), slice(weights[m], j / 16), b0);
          ptx::mma_m16n8k16<T>(slice(result[m], d / 8 + 1), slice(weights[m], j / 16), b1);
        }
      }
    }
  }
  ptx::cp_async_wait<0>();
  __syncthreads();  // the queries have come, where there was no key

  // By way of shared memory, where the queries of the same warp were, to write whole rows.
  T* const out = static_cast<T*>(p.out) + int64_t{s.first_query + tile.first} * p.ldo + tile.head * dim;
#pragma unroll
  for (int m = 0; m < kTiles; ++m) {
    softmax[m].finish();
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int row = warp_row + m * 16 + lane / 4 + 8 * h;
      const float inverse = softmax[m].inverse(h);
#pragma unroll
      for (int j = 0; j < kDim / 8; ++j) {
        const float* const two = result[m] + 4 * j + 2 * h;
        const uint32_t pair = ptx::pack<T>(two[0] * inverse, two[1] * inverse);
        *reinterpret_cast<uint32_t*>(queries.at(row, 8 * j + lane % 4 * 2)) = pair;
      }
      if (p.lse != nullptr && lane % 4 == 0 && row < rows) {
        p.lse[int64_t{tile.head} * p.cu_seqlens_q[p.batch] + s.first_query + tile.first + row] =
            softmax[m].lse(h, factor);
      }
    }
  }
  __syncwarp();
  for (int i = lane; i < kWarpRows * Tile::kPieces; i += 32) {
    const int row = warp_row + i / Tile::kPieces, d = i % Tile::kPieces * 8;
    if (row < rows && d < dim) {
      *reinterpret_cast<uint4*>(out + row * p.ldo + d) = *reinterpret_cast<const uint4*>(queries.at(row, d));
    }
  }
}

template <typename T, int kDim>
void start(const Run& run, const Attention& p) {
  const size_t shared = sizeof(T) * (kRows + 2 * kKeysOf<kDim>)*Rows<T, kDim>::kPitch;
  launch(run, {prefill_grid(p, kRows), dim3(kThreads), shared}, attention_prefill_mma_kernel<T, kDim>, p);
}

}  // namespace

void attention_prefill_mma(const Run& run, const Attention& p) {
  for_head_size(p,
                [&](auto element, auto width) { start<decltype(element), decltype(width)::value>(run, p); });
}

}  // namespace topv::cuda
