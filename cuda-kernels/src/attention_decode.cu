// out = softmax(scale q k^T) v for one query per sequence; lse = log of the sum of exponentials.
//
// A block has the keys of one split of one sequence, and the query heads (up to kRows) of one KV head: K and V are read
// once for all of them. Its warps take tiles of keys in turn, each through a ring of asynchronous copies of its own with
// its own online softmax, and meet only at the end. With several splits each leaves a maximum, a sum and a result, and a
// second kernel combines them.
// Grid: KV head blocks fastest (they are neighbours in memory), then splits, then sequences; 128 threads.
// Bound: bandwidth of the cache. Limits: head_dim a multiple of 8 up to 256, padded to 64, 80, 96, 128 or 256.
#include <algorithm>

#include "attention_decode.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

using namespace decode;

/// Divides the result of element d of a row by the sum, and writes it; with d = 0, the row's lse too.
template <typename T>
__device__ __forceinline__ void write(const Attention& p, int64_t b, int64_t head, int d, float result,
                                      float maximum, float sum) {
  const float quotient = sum == 0 ? 0.0f : result / sum;  // no key: zeros
  static_cast<T*>(p.out)[b * p.ldo + head * p.head_dim + d] = from_float<T>(quotient);
  if (d == 0 && p.lse != nullptr) p.lse[head * p.batch + b] = (maximum + log2f(sum)) * kLn2;
}

template <typename Form, bool kAligned>
__global__ void __launch_bounds__(kThreads)
    attention_decode_kernel(Attention p, Partial partial, int head_blocks) {
  using T = typename Form::T;
  using Tiles = typename Form::Tiles;
  constexpr int kRows = Form::kRows, kKeys = Form::kKeys, kStages = Form::kStages, kPitch = Form::D + 8;
  static_assert(kRows * (kPitch + 2) * sizeof(float) <= Tiles::kSize * sizeof(T),
                "the result reuses the ring");

  const int block = static_cast<int>(blockIdx.x) % head_blocks,
            split = static_cast<int>(blockIdx.x) / head_blocks % partial.splits,
            b = static_cast<int>(blockIdx.x) / head_blocks / partial.splits;
  Sequence sequence;
  Visible keys;
  if (!find_keys(p, b, sequence, keys)) return;
  const int each = split_keys(keys.end - keys.begin, partial.splits), begin = keys.begin + split * each;
  const int end = std::min(keys.end, begin + each);
  if (partial.splits > 1 && begin >= end) return;

  const int blocks = (p.group + kRows - 1) / kRows;
  const int kv_head = block / blocks, first_row = block % blocks * kRows;
  const int rows = std::min(kRows, p.group - first_row), head = kv_head * p.group + first_row;
  const int64_t column = int64_t{kv_head} * p.head_dim;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;

  TOPV_ARENA(arena);
  T* const rings = arena.take<T>(kWarps * Tiles::kSize, 128);
  const Tiles ring = {rings + warp * Tiles::kSize};
  T* const queries = arena.take<T>(kRows * Tiles::kPitch, 16);

  // The rows of a tile are looked up one step before its copies begin, which is kStages - 1 steps before it is used.
  const auto row_of = [&](int tile) {
    const int j = begin + (tile * kWarps + warp) * kKeys + lane;
    return lane < kKeys && j < end ? key_row<AttentionOp::decode>(p, sequence, j) : int64_t{-1};
  };
  const int tiles = (end - begin - warp * kKeys + kWarps * kKeys - 1) / (kWarps * kKeys);
  int64_t row[kStages];
  unsigned live[kStages];  // of the tiles under way, the oldest first
#pragma unroll
  for (int i = 0; i < kStages; ++i) row[i] = row_of(i);
#pragma unroll
  for (int i = 0; i < kStages - 1; ++i) {
    live[i] = __ballot_sync(~0u, row[i] >= 0);
    ring.template fetch<kAligned>(p, i, row[i], column);
  }
  int64_t next = row[kStages - 1];

  const T* q = static_cast<const T*>(p.q) + b * p.ldq + int64_t{head} * p.head_dim;
  for (int i = static_cast<int>(threadIdx.x); i < kRows * Form::D; i += kThreads) {
    const int r = i / Form::D, d = i % Form::D;
    queries[r * Tiles::kPitch + d] = r < rows && d < p.head_dim ? q[r * p.head_dim + d] : from_float<T>(0.0f);
  }
  __syncthreads();

  Form form;
  const Score score(p);
  int slot = 0, free = kStages - 1;
  for (int i = 0; i < tiles; ++i) {
    ptx::cp_async_wait<kStages - 2>();
    __syncwarp();  // this tile has come for all lanes, and none reads the one before any more
    live[kStages - 1] = __ballot_sync(~0u, next >= 0);
    ring.template fetch<kAligned>(p, free, next, column);
    next = row_of(i + kStages);
    form.step(queries, ring.keys(slot), ring.values(slot), live[0], score);
#pragma unroll
    for (int s = 0; s + 1 < kStages; ++s) live[s] = live[s + 1];
    free = slot;
    slot = slot + 1 == kStages ? 0 : slot + 1;
  }
  ptx::cp_async_wait<0>();
  __syncwarp();

  // The warps' parts, in the memory of the rings.
  const auto result = [&](int w) { return reinterpret_cast<float*>(rings + w * Tiles::kSize); };
  const auto state = [&](int w) { return reinterpret_cast<float2*>(result(w) + kRows * kPitch); };
  form.store(result(warp), kPitch, state(warp));
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < rows * p.head_dim; i += kThreads) {
    const int r = i / p.head_dim, d = i - r * p.head_dim;
    float maximum = -INFINITY, reference, sum = 0, value = 0;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) raise(maximum, state(w)[r].x, reference);
#pragma unroll
    for (int w = 0; w < kWarps; ++w) {
      const float weight = ptx::ex2(state(w)[r].x - reference);
      sum += weight * state(w)[r].y;
      value += weight * result(w)[r * kPitch + d];
    }
    if (partial.splits > 1) {
      const int64_t at = (int64_t{split} * p.batch + b) * p.q_heads + head + r;
      partial.result[at * p.head_dim + d] = value;
      if (d == 0) partial.state[at] = {maximum, sum};
    } else {
      write<T>(p, b, head + r, d, value, maximum, sum);
    }
  }
}

constexpr int kRowDims = 8;  // dims of a row that a lane has: 256 / 32

/// A warp has one row. Bound: the partial results, 1/8 (1/16 in float32) of what a split of 64 keys reads and D wide.
template <typename T>
__global__ void __launch_bounds__(kThreads) attention_combine_kernel(Attention p, Partial partial) {
  const int64_t rows = int64_t{p.batch} * p.q_heads;
  const int64_t row = int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if (row >= rows) return;
  const int b = static_cast<int>(row / p.q_heads);
  Sequence sequence;
  Visible keys;
  if (!find_keys(p, b, sequence, keys)) return;
  const int count = keys.end - keys.begin, each = split_keys(count, partial.splits);
  const int splits = count == 0 ? 0 : (count + each - 1) / each;

  float maximum = -INFINITY, reference = 0, sum = 0, result[kRowDims] = {};
  for (int s = lane; s < splits; s += 32) raise(maximum, partial.state[s * rows + row].x, reference);
  for (int step = 1; step < 32; step *= 2) raise(maximum, __shfl_xor_sync(~0u, maximum, step), reference);
#pragma unroll 4
  for (int s = 0; s < splits; ++s) {
    const float2 state = partial.state[s * rows + row];
    const float weight = ptx::ex2(state.x - reference);
    sum += weight * state.y;
#pragma unroll
    for (int i = 0; i < kRowDims; ++i) {
      const int d = i * 32 + lane;
      if (d < p.head_dim) result[i] += weight * partial.result[(s * rows + row) * p.head_dim + d];
    }
  }
#pragma unroll
  for (int i = 0; i < kRowDims; ++i) {
    const int d = i * 32 + lane;
    if (d < p.head_dim) write<T>(p, b, row % p.q_heads, d, result[i], maximum, sum);
  }
}

template <typename Form, bool kAligned>
void run_form(const Run& run, const Attention& p) {
  const int64_t head_blocks = p.kv_heads * ceil_div(p.group, Form::kRows);
  const int64_t rows = int64_t{p.batch} * p.q_heads;
  Partial partial = {};
  partial.splits =
      choose_splits(p.batch * head_blocks, p.max_seqlen_k, std::max(1, 2 * run.device.multiprocessors));
  if (partial.splits > 1) {
    partial.result = run.scratch.take<float>(partial.splits * rows * p.head_dim);
    partial.state = run.scratch.take<float2>(partial.splits * rows);
  }
  Shape shape = {dim3(static_cast<unsigned>(p.batch * partial.splits * head_blocks)), dim3(kThreads)};
  shape.shared = (kWarps * Form::Tiles::kSize + Form::kRows * Form::Tiles::kPitch) * sizeof(typename Form::T);
  launch(run, shape, attention_decode_kernel<Form, kAligned>, p, partial, static_cast<int>(head_blocks));
  if (partial.splits > 1) {
    const Shape combine = {dim3(static_cast<unsigned>(ceil_div(rows, kWarps))), dim3(kThreads)};
    launch(run, combine, attention_combine_kernel<typename Form::T>, p, partial);
  }
}

/// Whether every row of k and v begins at a multiple of 16 bytes.
bool aligned(const Attention& p, int64_t element_bytes) {
  const auto multiple = [](uint64_t bytes) { return bytes % 16 == 0; };
  return multiple(reinterpret_cast<uint64_t>(p.k)) && multiple(reinterpret_cast<uint64_t>(p.v)) &&
         multiple(static_cast<uint64_t>(p.ldk * element_bytes)) &&
         multiple(static_cast<uint64_t>(p.ldv * element_bytes));
}

template <typename T>
void run_tensor(const Run& run, const Attention& p) {
  if (!aligned(p, 2)) return run_form<TensorForm<T, 256>, false>(run, p);
  if (p.head_dim <= 64) return run_form<TensorForm<T, 64>, true>(run, p);
  if (p.head_dim <= 80) return run_form<TensorForm<T, 80>, true>(run, p);
  if (p.head_dim <= 96) return run_form<TensorForm<T, 96>, true>(run, p);
  if (p.head_dim <= 128) return run_form<TensorForm<T, 128>, true>(run, p);
  run_form<TensorForm<T, 256>, true>(run, p);
}

void run_scalar(const Run& run, const Attention& p) {
  if (!aligned(p, 4)) return run_form<ScalarForm<256>, false>(run, p);
  if (p.head_dim <= 128) return run_form<ScalarForm<128>, true>(run, p);
  run_form<ScalarForm<256>, true>(run, p);
}

}  // namespace

void attention_decode(const Run& run, const AttentionParams& params) {
  if (params.batch == 0) return;
  const Attention p(run, params);
  if (p.dtype == TOPV_F32) return run_scalar(run, p);
  p.dtype == TOPV_BF16 ? run_tensor<__nv_bfloat16>(run, p) : run_tensor<__half>(run, p);
}

void attention_decode(const Run& run, const topv_attention_params& params) {
  attention_decode(run, AttentionParams(params));
}

}  // namespace topv::cuda
