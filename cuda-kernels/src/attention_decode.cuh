// What attention_decode is made of: how a call is cut into blocks, the ring through which a warp reads its keys and
// values, and the two forms of arithmetic on a tile of them.
#pragma once

#include "attention.cuh"
#include "common/elements.cuh"

namespace topv::cuda::decode {

constexpr int kWarps = 4, kThreads = 32 * kWarps;
constexpr int kStep = 64;         // keys that a block's warps take at a time; splits are multiples of it
constexpr int kMostSplits = 256;  // of one sequence
constexpr float kLog2e = 1.44269504f, kLn2 = 0.69314718f;

// ---- how a call is cut

/// Blocks that share the keys of one sequence and head: the fewest that fill the GPU (slots blocks at once) nearly as well
/// as any number does. A function of what the host knows, so that a CUDA graph may keep its grid.
inline int choose_splits(int64_t units, int64_t max_keys, int64_t slots) {
  const auto filled = [=](int64_t splits) {
    const int64_t blocks = units * splits;
    return static_cast<double>(blocks) / static_cast<double>(ceil_div(blocks, slots) * slots);
  };
  const int64_t some = ceil_div(max_keys, kStep), most = some < 1             ? 1
                                                         : some < kMostSplits ? some
                                                                              : kMostSplits;
  double best = 0;
  for (int64_t s = 1; s <= most; ++s) best = filled(s) > best ? filled(s) : best;
  int64_t splits = 1;
  while (filled(splits) < 0.85 * best) ++splits;
  return static_cast<int>(splits);
}

/// Keys of each split of a sequence; it is the sequence's own length that is divided.
__device__ __forceinline__ int split_keys(int keys, int splits) {
  return (keys / splits + (keys % splits != 0) + kStep - 1) / kStep * kStep;
}

/// What the splits leave for the combining kernel. A row is one query head of one sequence.
struct Partial {
  float* result;  ///< [splits, rows, D]: not yet divided by the sum
  float2* state;  ///< [splits, rows]: maximum of the scores (times log2 e), sum of 2^(score - maximum)
  int splits;
};

// ---- where the keys are

/// False where the index arrays of sequence b are wrong: it is reported, and nothing is done for this sequence.
__device__ __forceinline__ bool find_keys(const Attention& p, int b, Sequence& sequence, Visible& keys) {
  for (int i = b; i <= b + 1; ++i) {
    if (p.cu_seqlens_q[i] != i) {
      report(p.fault, FaultKind::attention_decode_query, i, p.cu_seqlens_q[i]);
      return false;
    }
  }
  if (!load_sequence<AttentionOp::decode>(p, b, sequence)) return false;
  keys = visible(p, sequence, 0);
  if (keys.end < keys.begin) keys.end = keys.begin;
  return true;
}

// ---- the ring of a warp

/// Copies 16 bytes from global to shared memory, zeros where not valid. Unaligned sources are read element by element.
template <bool kAligned, typename T>
__device__ __forceinline__ void copy_chunk(T* to, const T* from, bool valid) {
  if constexpr (kAligned) {
    ptx::cp_async_16(to, from, valid);
  } else {
    for (int i = 0; i < static_cast<int>(16 / sizeof(T)); ++i) to[i] = valid ? from[i] : from_float<T>(0.0f);
  }
}

/// Tiles of kKeys keys and values on their way from memory; each warp has its own and waits for nobody.
/// A row of a tile is padded to an odd number of 16-byte chunks, so that eight rows lie in different banks.
template <typename T, int D, int kKeys, int kStages>
struct Ring {
  static constexpr int kLanes = 16 / sizeof(T);      // elements of a chunk
  static constexpr int kChunks = D / kLanes;         // of a row
  static constexpr int kPitch = D + kLanes;          // elements from row to row
  static constexpr int kTile = kKeys * kPitch;       // elements of a tile of keys, or of values
  static constexpr int kSize = kStages * 2 * kTile;  // elements of a warp
  static_assert(kChunks % 2 == 0 && kKeys * kChunks % 32 == 0);

  T* slots;

  __device__ __forceinline__ const T* keys(int slot) const { return slots + slot * 2 * kTile; }
  __device__ __forceinline__ const T* values(int slot) const { return keys(slot) + kTile; }

  /// Begins the copy of one tile; lane j < kKeys gives the row of key j, -1 for none.
  template <bool kAligned>
  __device__ __forceinline__ void fetch(const Attention& p, int slot, int64_t row, int64_t column) const {
    const T *k = static_cast<const T*>(p.k), *v = static_cast<const T*>(p.v);
    T* to = slots + slot * 2 * kTile;
#pragma unroll 4
    for (int i = 0; i < kKeys * kChunks / 32; ++i) {
      const int unit = i * 32 + static_cast<int>(threadIdx.x) % 32;
      const int j = unit / kChunks, d = unit % kChunks * kLanes;
      const int64_t r = __shfl_sync(~0u, row, j);
      const bool valid = r >= 0 && d < p.head_dim;
      copy_chunk<kAligned>(to + j * kPitch + d, valid ? k + r * p.ldk + column + d : k, valid);
      copy_chunk<kAligned>(to + kTile + j * kPitch + d, valid ? v + r * p.ldv + column + d : v, valid);
    }
    ptx::cp_async_commit();
  }
};

// ---- arithmetic

/// The score of a product of query and key, times log2 e.
struct Score {
  float factor, cap;

  __device__ __forceinline__ explicit Score(const Attention& p)
      : factor(p.softcap > 0 ? p.scale / p.softcap : p.scale * kLog2e), cap(p.softcap * kLog2e) {}
  __device__ __forceinline__ float operator()(float product) const {
    return cap > 0 ? cap * tanhf(product * factor) : product * factor;
  }
};

/// Online softmax of one row: raises the maximum to that of a new tile; returns the factor for all that was summed before.
/// reference is what to subtract from scores: the maximum, or 0 as long as there was no key.
__device__ __forceinline__ float raise(float& maximum, float tile, float& reference) {
  const float before = maximum;
  maximum = fmaxf(before, tile);
  reference = maximum == -INFINITY ? 0.0f : maximum;
  return ptx::ex2(before - reference);
}

/// 16-bit elements on tensor cores: the rows of a 16 x 8 x 16 product are query heads. With fewer than 16 of them most of
/// the product is idle, which costs nothing: the tensor cores wait for memory anyway.
template <typename Element, int kDim>
struct TensorForm {
  using T = Element;
  static constexpr int D = kDim, kRows = 16, kKeys = 16, kStages = D <= 128 ? 3 : 2;
  using Tiles = Ring<T, D, kKeys, kStages>;

  float o[D / 8][4] = {};  // [dims by 8][row g: two dims, row g + 8: two dims], g = lane / 4
  float maximum[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};
  int lane = static_cast<int>(threadIdx.x) % 32;

  /// queries: kRows rows in the layout of a tile, zeros where there is no query head or no dim. Bit j of live: key j of
  /// the tile exists.
  __device__ __forceinline__ void step(const T* queries, const T* keys, const T* values, unsigned live,
                                       const Score& score) {
    const int corner = lane / 8,
              line = lane % 8;  // ldmatrix: the 8 x 8 tile, and the row of it, that this lane names
    float s[2][4] = {};
    const T* query = queries + (corner % 2 * 8 + line) * Tiles::kPitch + corner / 2 * 8;
    const T* key = keys + (corner / 2 * 8 + line) * Tiles::kPitch + corner % 2 * 8;
#pragma unroll 4
    for (int i = 0; i < D / 16; ++i) {
      uint32_t a[4], b[4];
      ptx::ldmatrix_x4<false>(a, query + i * 16);
      ptx::ldmatrix_x4<false>(b, key + i * 16);
      ptx::mma_m16n8k16<T>(s[0], a, {b[0], b[1]});
      ptx::mma_m16n8k16<T>(s[1], a, {b[2], b[3]});
    }
    float tops[2] = {-INFINITY, -INFINITY};
#pragma unroll
    for (int n = 0; n < 2; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const bool seen = live >> (n * 8 + lane % 4 * 2 + i % 2) & 1;
        s[n][i] = seen ? score(s[n][i]) : -INFINITY;
        tops[i / 2] = fmaxf(tops[i / 2], s[n][i]);
      }
    }
    float before[2], reference[2];
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      tops[h] = fmaxf(tops[h], __shfl_xor_sync(~0u, tops[h], 1));
      tops[h] = fmaxf(tops[h], __shfl_xor_sync(~0u, tops[h], 2));
      before[h] = raise(maximum[h], tops[h], reference[h]);
      sum[h] *= before[h];
    }
#pragma unroll
    for (int n = 0; n < 2; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        s[n][i] = ptx::ex2(s[n][i] - reference[i / 2]);
        sum[i / 2] += s[n][i];
      }
    }
    const uint32_t weights[4] = {ptx::pack<T>(s[0][0], s[0][1]), ptx::pack<T>(s[0][2], s[0][3]),
                                 ptx::pack<T>(s[1][0], s[1][1]), ptx::pack<T>(s[1][2], s[1][3])};
    const T* value = values + (corner % 2 * 8 + line) * Tiles::kPitch + corner / 2 * 8;
#pragma unroll
    for (int i = 0; i < D / 16; ++i) {
      uint32_t b[4];
      ptx::ldmatrix_x4<true>(b, value + i * 16);
#pragma unroll
      for (int n = 2 * i; n < 2 * i + 2; ++n) {
#pragma unroll
        for (int x = 0; x < 4; ++x) o[n][x] *= before[x / 2];
        ptx::mma_m16n8k16<T>(o[n], weights, {b[n % 2 * 2], b[n % 2 * 2 + 1]});
      }
    }
  }

  /// result[row * pitch + d] and state[row] of every row.
  __device__ __forceinline__ void store(float* result, int pitch, float2* state) {
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      sum[h] += __shfl_xor_sync(~0u, sum[h], 1);
      sum[h] += __shfl_xor_sync(~0u, sum[h], 2);
      const int row = lane / 4 + h * 8;
      if (lane % 4 == 0) state[row] = {maximum[h], sum[h]};
#pragma unroll
      for (int n = 0; n < D / 8; ++n) {
        float* at = result + row * pitch + n * 8 + lane % 4 * 2;
        at[0] = o[n][2 * h];
        at[1] = o[n][2 * h + 1];
      }
    }
  }
};

/// float32 without tensor cores: lane = key + 8 * quarter of the dims for the scores, lane = dims for the result.
template <int kDim>
struct ScalarForm {
  using T = float;
  static constexpr int D = kDim, kRows = 4, kKeys = 8, kStages = 2;
  using Tiles = Ring<T, D, kKeys, kStages>;
  static constexpr int kQuads = D / 128;  // float4 of a row that a lane has

  float4 o[kRows][kQuads] = {};
  float maximum[kRows] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY}, sum[kRows] = {};
  int lane = static_cast<int>(threadIdx.x) % 32;

  __device__ __forceinline__ void step(const float* queries, const float* keys, const float* values,
                                       unsigned live, const Score& score) {
    const float* key = keys + lane % 8 * Tiles::kPitch + lane / 8 * 4;
    float s[kRows] = {};
#pragma unroll
    for (int i = 0; i < D / 16; ++i) {
      const float4 k = *reinterpret_cast<const float4*>(key + i * 16);
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        const float4 q =
            *reinterpret_cast<const float4*>(queries + r * Tiles::kPitch + i * 16 + lane / 8 * 4);
        s[r] = fmaf(q.x, k.x, fmaf(q.y, k.y, fmaf(q.z, k.z, fmaf(q.w, k.w, s[r]))));
      }
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      s[r] += __shfl_xor_sync(~0u, s[r], 8);
      s[r] += __shfl_xor_sync(~0u, s[r], 16);
      s[r] = live >> lane % 8 & 1 ? score(s[r]) : -INFINITY;
      float top = s[r], reference;
      for (int step = 1; step < 8; step *= 2) top = fmaxf(top, __shfl_xor_sync(~0u, top, step));
      const float before = raise(maximum[r], top, reference);
      s[r] = ptx::ex2(s[r] - reference);
      sum[r] = sum[r] * before + s[r];
#pragma unroll
      for (int c = 0; c < kQuads; ++c) {
        o[r][c] = {o[r][c].x * before, o[r][c].y * before, o[r][c].z * before, o[r][c].w * before};
      }
    }
#pragma unroll
    for (int j = 0; j < kKeys; ++j) {
#pragma unroll
      for (int c = 0; c < kQuads; ++c) {
        const float4 v = *reinterpret_cast<const float4*>(values + j * Tiles::kPitch + c * 128 + lane * 4);
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          const float weight = __shfl_sync(~0u, s[r], j);
          o[r][c] = {fmaf(weight, v.x, o[r][c].x), fmaf(weight, v.y, o[r][c].y), fmaf(weight, v.z, o[r][c].z),
                     fmaf(weight, v.w, o[r][c].w)};
        }
      }
    }
  }

  __device__ __forceinline__ void store(float* result, int pitch, float2* state) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      for (int step = 1; step < 8; step *= 2) sum[r] += __shfl_xor_sync(~0u, sum[r], step);
      if (lane == 0) state[r] = {maximum[r], sum[r]};
#pragma unroll
      for (int c = 0; c < kQuads; ++c) {
        float* at = result + r * pitch + c * 128 + lane * 4;
        at[0] = o[r][c].x;
        at[1] = o[r][c].y;
        at[2] = o[r][c].z;
        at[3] = o[r][c].w;
      }
    }
  }
};

}  // namespace topv::cuda::decode
