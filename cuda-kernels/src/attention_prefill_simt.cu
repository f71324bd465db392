// out = softmax(scale q k^T + mask) v by online softmax, in float32 arithmetic: the form for every shape, alignment and
// type. The tensor core forms take what is usual in bfloat16 and float16.
//
// Grid: heads x tiles of kRows queries, see PrefillTile. A block walks over its keys in tiles of kKeys: K and V lie in
// shared memory as float32, a thread has 2 x 4 scores of a tile and 2 x D / 8 of the result. Bound: float32 arithmetic
// (one 16-byte read of shared memory per 8 products). Limits: D <= 256.
#include "attention_prefill.cuh"
#include "common/elements.cuh"

namespace topv::cuda {
namespace {

constexpr int kThreads = 128, kWarps = kThreads / 32;
constexpr int kRows = 32, kKeys = 32;
constexpr int kWarpRows = kRows / kWarps;
constexpr int kColumns = 8;  // threads that share a row
constexpr int kScores = kKeys / kColumns;
constexpr int kPad = 4;  // floats after a row of q, k and the weights: rows fall into different banks
constexpr int kWeights = kKeys + kPad;

__device__ __forceinline__ float load(const void* base, int64_t at, int32_t dtype) {
  if (dtype == TOPV_F32) return static_cast<const float*>(base)[at];
  if (dtype == TOPV_BF16) return to_float(static_cast<const __nv_bfloat16*>(base)[at]);
  return to_float(static_cast<const __half*>(base)[at]);
}

__device__ __forceinline__ void store(void* base, int64_t at, int32_t dtype, float x) {
  if (dtype == TOPV_F32) {
    static_cast<float*>(base)[at] = x;
  } else if (dtype == TOPV_BF16) {
    static_cast<__nv_bfloat16*>(base)[at] = from_float<__nv_bfloat16>(x);
  } else {
    static_cast<__half*>(base)[at] = from_float<__half>(x);
  }
}

/// One row of global memory into shared memory, by a warp; zeros where there is none.
__device__ __forceinline__ void copy_row(const Attention& p, const void* base, int64_t at, float* row) {
  for (int d = static_cast<int>(threadIdx.x) % 32; d < p.head_dim; d += 32) {
    row[d] = at < 0 ? 0.0f : load(base, at + d, p.dtype);
  }
}

__device__ __forceinline__ float dot(const float4& a, const float4& b, float sum) {
  return fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, fmaf(a.w, b.w, sum))));
}

/// kQuads: 16-byte pieces of a row of the result per thread, D / 32 rounded up.
template <int kQuads>
__global__ void __launch_bounds__(kThreads, 2) attention_prefill_simt_kernel(Attention p) {
  const int dim = p.head_dim, stride = dim + kPad;
  TOPV_ARENA(arena);
  float* const queries = arena.take<float>(kRows * stride);
  float* const keys = arena.take<float>(kKeys * stride);
  float* const values = arena.take<float>(kKeys * dim);
  float* const weights = arena.take<float>(kRows * kWeights);

  const PrefillTile tile = prefill_tile(p, kRows);
  Sequence s;
  if (!load_sequence<AttentionOp::prefill>(p, tile.b, s) || tile.first >= s.queries) return;
  const int rows = s.queries - tile.first < kRows ? s.queries - tile.first : kRows;
  const int head = tile.head, kv_head = head / p.group;
  const int warp = static_cast<int>(threadIdx.x) / 32, column = static_cast<int>(threadIdx.x) % kColumns;
  const int row =
      warp * kWarpRows + static_cast<int>(threadIdx.x) % 32 / kColumns;  // and row + kWarpRows / 2
  const bool busy = warp * kWarpRows < rows;

  for (int i = warp; i < rows; i += kWarps) {
    copy_row(p, p.q, int64_t{s.first_query + tile.first + i} * p.ldq + int64_t{head} * dim,
             queries + i * stride);
  }
  for (int i = rows + warp; i < kRows; i += kWarps) copy_row(p, p.q, -1, queries + i * stride);

  const Window window = cuda::window(p, s);
  const float scale = p.softcap > 0 ? p.scale / p.softcap : p.scale * 1.44269504f;
  const float cap = p.softcap * 1.44269504f;
  Visible seen[2];
  float maximum[2], sum[2] = {0, 0};
  float4 result[2][kQuads];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    seen[h] = window.of(tile.first + row + h * kWarpRows / 2);
    maximum[h] = -INFINITY;
#pragma unroll
    for (int i = 0; i < kQuads; ++i) result[h][i] = {0, 0, 0, 0};
  }
  const int begin = window.of(tile.first).begin / kKeys * kKeys;
  const int end = window.of(tile.first + rows - 1).end;

  for (int first = begin; first < end; first += kKeys) {
    __syncthreads();  // the tile before has been read
    for (int i = warp; i < kKeys; i += kWarps) {
      const int64_t at = first + i < end ? key_row<AttentionOp::prefill>(p, s, first + i) : -1;
      copy_row(p, p.k, at < 0 ? -1 : at * p.ldk + int64_t{kv_head} * dim, keys + i * stride);
      copy_row(p, p.v, at < 0 ? -1 : at * p.ldv + int64_t{kv_head} * dim, values + i * dim);
    }
    __syncthreads();
    if (!busy) continue;

    float scores[2][kScores] = {};
    for (int d = 0; d < dim; d += 4) {
      const float4 q0 = *reinterpret_cast<const float4*>(queries + row * stride + d);
      const float4 q1 = *reinterpret_cast<const float4*>(queries + (row + kWarpRows / 2) * stride + d);
#pragma unroll
      for (int j = 0; j < kScores; ++j) {
        const float4 k = *reinterpret_cast<const float4*>(keys + (column + j * kColumns) * stride + d);
        scores[0][j] = dot(q0, k, scores[0][j]);
        scores[1][j] = dot(q1, k, scores[1][j]);
      }
    }
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      float top = maximum[h];
#pragma unroll
      for (int j = 0; j < kScores; ++j) {
        const int key = first + column + j * kColumns;
        float score = scores[h][j] * scale;
        if (p.softcap > 0) score = cap * tanhf(score);
        scores[h][j] = key >= seen[h].begin && key < seen[h].end ? score : -INFINITY;
        top = fmaxf(top, scores[h][j]);
      }
#pragma unroll
      for (int lane = 1; lane < kColumns; lane *= 2) top = fmaxf(top, __shfl_xor_sync(~0u, top, lane));
      const float base = top == -INFINITY ? 0.0f : top;  // no key seen yet
      const float rescale = exp2f(maximum[h] - base);
      maximum[h] = top;
      sum[h] *= rescale;
#pragma unroll
      for (int j = 0; j < kScores; ++j) {
        const float weight = exp2f(scores[h][j] - base);
        sum[h] += weight;
        weights[(row + h * kWarpRows / 2) * kWeights + column + j * kColumns] = weight;
      }
#pragma unroll
      for (int i = 0; i < kQuads; ++i) {
        result[h][i].x *= rescale;
        result[h][i].y *= rescale;
        result[h][i].z *= rescale;
        result[h][i].w *= rescale;
      }
    }
    __syncwarp();  // the weights of a row are written and read by one warp
    for (int j = 0; j < kKeys; ++j) {
      const float w0 = weights[row * kWeights + j], w1 = weights[(row + kWarpRows / 2) * kWeights + j];
#pragma unroll
      for (int i = 0; i < kQuads; ++i) {
        const int d = (column + i * kColumns) * 4;
        if (d >= dim) break;
        const float4 v = *reinterpret_cast<const float4*>(values + j * dim + d);
        float4 &r0 = result[0][i], &r1 = result[1][i];
        r0 = {fmaf(w0, v.x, r0.x), fmaf(w0, v.y, r0.y), fmaf(w0, v.z, r0.z), fmaf(w0, v.w, r0.w)};
        r1 = {fmaf(w1, v.x, r1.x), fmaf(w1, v.y, r1.y), fmaf(w1, v.z, r1.z), fmaf(w1, v.w, r1.w)};
      }
    }
  }
  if (!busy) return;

#pragma unroll
  for (int h = 0; h < 2; ++h) {
#pragma unroll
    for (int lane = 1; lane < kColumns; lane *= 2) sum[h] += __shfl_xor_sync(~0u, sum[h], lane);
    const int i = row + h * kWarpRows / 2;
    if (i >= rows) continue;
    const int64_t query = int64_t{s.first_query} + tile.first + i;
    const float inverse = sum[h] > 0 ? 1.0f / sum[h] : 0.0f;
#pragma unroll
    for (int quad = 0; quad < kQuads; ++quad) {
      const int d = (column + quad * kColumns) * 4;
      if (d >= dim) break;
      const float4 r = result[h][quad];
      const int64_t at = query * p.ldo + int64_t{head} * dim + d;
      store(p.out, at, p.dtype, r.x * inverse);
      store(p.out, at + 1, p.dtype, r.y * inverse);
      store(p.out, at + 2, p.dtype, r.z * inverse);
      store(p.out, at + 3, p.dtype, r.w * inverse);
    }
    if (p.lse != nullptr && column == 0) {
      p.lse[int64_t{head} * p.cu_seqlens_q[p.batch] + query] =
          sum[h] > 0 ? (maximum[h] + log2f(sum[h])) * 0.69314718f : -INFINITY;
    }
  }
}

}  // namespace

void attention_prefill_simt(const Run& run, const Attention& p) {
  const int stride = p.head_dim + kPad;
  const size_t floats = static_cast<size_t>((kRows + kKeys) * stride + kKeys * p.head_dim + kRows * kWeights);
  const Shape shape = {prefill_grid(p, kRows), dim3(kThreads), floats * sizeof(float)};
  launch(run, shape,
         p.head_dim <= 32    ? attention_prefill_simt_kernel<1>
         : p.head_dim <= 64  ? attention_prefill_simt_kernel<2>
         : p.head_dim <= 128 ? attention_prefill_simt_kernel<4>
                             : attention_prefill_simt_kernel<8>,
         p);
}

}  // namespace topv::cuda
