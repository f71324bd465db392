// Importance of each source token, on Hopper for N <= 768: one image per thread-block cluster, K in registers.
//
// An image is cut in 16 chunks of rows; a block holds `held` of them, so that 16 / held blocks make the cluster. A warp
// has whole rows: lane l the columns 64 q + 2 l and 64 q + 2 l + 1. K v is then a sum within a warp, and u never leaves
// it. K' u is summed over the rows of a warp, over the warps of a chunk through shared memory, and over the chunks by
// the block that owns the column: every block sends it its partial sums (st.async to its shared memory, an mbarrier
// counts the bytes), and it sends v back to all. Two messages per iteration, one block barrier, no cluster barrier, no
// global memory.
//
// Why no block overwrites what another still reads: a block sends partial sums i + 1 when it has all of v i, which it
// has when every block has sent it its part, and so has read its partial sums i for this block, but perhaps not yet for
// the others: hence two buffers of partial sums, by turns. v i + 1 comes when all have sent their partial sums i + 1,
// and so have read v i.
//
// All sums have an order that depends on N alone, not on `held`: an image has the same result alone (16 blocks, the
// least latency) and in a batch (fewer blocks per image, more images at a time).
//
// Grid: images x 16 / held blocks. Bound: latency. Per iteration at N = 576 on 16 blocks: 2 x 162 cycles of FMA, 430
// of shared memory, two trips through the cluster's network of about 250.
#include "sinkhorn.cuh"

namespace topv::cuda::transport {

constexpr int kChunks = 16, kWarps = 12, kThreads = 32 * kWarps;

/// What follows from the rows of a chunk that a warp has, and from the chunks that a block has.
template <int kRows, int kHeld>
struct Layout {
  static constexpr int kTokens = kChunks * kWarps * kRows;  // at most
  static constexpr int kBlocks = kChunks / kHeld;           // of a cluster
  static constexpr int kOwn = kTokens / kBlocks;            // rows and columns of a block
  static constexpr int kPairs = kTokens / 64;               // of columns in a lane
  static constexpr int kAll = kHeld * kRows;                // rows of a warp
  static constexpr int kLog = kAll > 4 ? 3 : kAll > 2 ? 2 : kAll > 1 ? 1 : 0;
  static constexpr int kShift = 5 - kLog;  // lane >> kShift is the row that a lane scales
  static constexpr size_t kShared =
      sizeof(float) * (kTokens + kHeld * kWarps * kTokens + 2 * kChunks * kOwn + 2 * kOwn) + 4096;
  static_assert(kTokens % 64 == 0 && kOwn % 4 == 0 && kAll <= 8 && kTokens / 4 * kHeld <= kThreads);
};

namespace {

/// Sums 2^kLog values over a warp; lane l gets the sum of value l >> (5 - kLog). Bit for bit what warp_sum() gives.
template <int kLog>
__device__ __forceinline__ float warp_sums(float (&x)[1 << kLog]) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int level = 0; level < 5; ++level) {
    const int step = 16 >> level;
    if (level < kLog) {
      const int half = 1 << (kLog - 1 - level);
      const bool upper = lane & step;
#pragma unroll
      for (int k = 0; k < half; ++k) {
        const float keep = upper ? x[k + half] : x[k], send = upper ? x[k] : x[k + half];
        x[k] = keep + __shfl_xor_sync(~0u, send, step);
      }
    } else {
      x[0] += __shfl_xor_sync(~0u, x[0], step);
    }
  }
  return x[0];
}

template <int kRows, int kHeld>
__global__ void __launch_bounds__(kThreads, 1) sinkhorn_cluster_kernel(const __grid_constant__ Batch b) {
#if TOPV_SM90
  using L = Layout<kRows, kHeld>;
  constexpr int kTokens = L::kTokens, kBlocks = L::kBlocks, kOwn = L::kOwn, kPairs = L::kPairs,
                kAll = L::kAll;
  TOPV_ARENA(arena);
  float4* const stage = arena.take<float4>(kHeld * kWarps * kTokens / 4, 128);  // K' u of each warp's rows
  float4* const parts = arena.take<float4>(2 * kChunks * kOwn / 4, 128);  // of each chunk's rows, own columns
  float* const x = arena.take<float>(kTokens, 128);                       // v
  float* const p = arena.take<float>(kOwn);
  float* const q = arena.take<float>(kOwn);
  uint64_t* const parts_came = arena.take<uint64_t>(1);
  uint64_t* const x_came = arena.take<uint64_t>(1);
  double* const weights = arena.take<double>(2);
  float* const least_of_warp = arena.take<float>(kWarps);
  float* const least_of_block = arena.take<float>(kBlocks);
  int* const good_of_block = arena.take<int>(kBlocks);

  const Image& image = b.image[blockIdx.x / kBlocks];
  const int tid = int(threadIdx.x), warp = tid / 32, lane = tid % 32, n = image.tokens;
  const int rank = int(ptx::cluster_rank()), first = rank * kOwn;  // row and column
  const auto row_of = [&](int a) { return (a / kRows * kWarps + warp) * kRows + a % kRows; };
  const auto column_of = [&](int h) { return h / 2 * 64 + 2 * lane + h % 2; };
  // The row that this lane scales: its number in the warp and in the block.
  const int scaled = lane >> L::kShift, mine = row_of(scaled);
  const bool live = scaled < kAll && first + mine < n;

  // C, its minimum, the sums of the weights. A minimum of NaN stands for a cost that is not finite.
  float k[kAll][2 * kPairs];
  const auto cost_row = [&](int a) { return b.cost + image.cost + int64_t{first + row_of(a)} * n; };
  const auto inside = [&](int a, int h) { return first + row_of(a) < n && column_of(h) < n; };
#pragma unroll
  for (int a = 0; a < kAll; ++a) {
    const float* row = cost_row(a);
#pragma unroll
    for (int h = 0; h < 2 * kPairs; ++h) k[a][h] = inside(a, h) ? row[column_of(h)] : INFINITY;
  }
  float least = INFINITY;
  bool good = true;
#pragma unroll
  for (int a = 0; a < kAll; ++a) {
#pragma unroll
    for (int h = 0; h < 2 * kPairs; ++h) {
      least = fminf(least, k[a][h]);
      good = good && (finite(k[a][h]) || !inside(a, h));
    }
  }
  least = -warp_max(-least);
  if (!__all_sync(~0u, good)) {
    least = NAN;
    for (int a = 0; a < kAll && first + row_of(a) < n; ++a) report_costs(b, image, first + row_of(a));
  }
  if (lane == 0) least_of_warp[warp] = least;
  if (warp < 2) {
    const double sum = weight_sum(b, image, warp == 0);
    if (lane == 0) weights[warp] = sum;
  }
  if (tid == 0) {
    ptx::mbar_init(parts_came, 1);
    ptx::mbar_init(x_came, 1);
    ptx::mbar_init_fence();
  }
  ptx::cluster_sync();
  const auto least_of = [](const float* values, int count) {
    float result = INFINITY;
    for (int i = 0; i < count; ++i)
      result = values[i] < result || values[i] != values[i] ? values[i] : result;
    return result;
  };
  if (tid < kBlocks) *ptx::map_rank(least_of_block + rank, unsigned(tid)) = least_of(least_of_warp, kWarps);
  ptx::cluster_sync();
  least = least_of(least_of_block, kBlocks);
  State& state = b.state[image.index];
  if (least != least || weights[0] != weights[0] || weights[1] != weights[1]) {
    if (rank == 0 && tid == 0) state = {kFaulty, 0.0f};
    return;
  }

  // K, the marginals, the start.
  const float shift = b.printed() ? 0.0f : least;
  const Gibbs gibbs(shift, b.epsilon);
#pragma unroll
  for (int a = 0; a < kAll; ++a) {
#pragma unroll
    for (int h = 0; h < 2 * kPairs; ++h) k[a][h] = gibbs(k[a][h]);  // 0 where C was padded
  }
  const float start = b.printed() ? 0.0f : 1.0f;
  for (int j = tid; j < kTokens; j += kThreads) x[j] = start;
  for (int j = tid; j < kOwn; j += kThreads) {
    if (first + j < n) p[j] = marginal(b.source_weight, image, first + j, weights[0]);
    if (first + j < n) q[j] = marginal(b.target_weight, image, first + j, weights[1]);
  }
  __syncthreads();

  // Of the row that this lane scales.
  const auto row_sums = [&](bool exponential) {
    float sum[1 << L::kLog] = {};
#pragma unroll
    for (int h = 0; h < kPairs; ++h) {
      float2 v = *reinterpret_cast<const float2*>(x + column_of(2 * h));
      if (exponential) v = {expf(v.x / b.epsilon), expf(v.y / b.epsilon)};
#pragma unroll
      for (int a = 0; a < kAll; ++a) sum[a] = fmaf(k[a][2 * h + 1], v.y, fmaf(k[a][2 * h], v.x, sum[a]));
    }
    return warp_sums<L::kLog>(sum);
  };
  const auto stage_columns = [&](float u) {
    const float own = b.printed() ? expf(u / b.epsilon) : u;
    float scales[kAll];
#pragma unroll
    for (int a = 0; a < kAll; ++a) scales[a] = __shfl_sync(~0u, own, a << L::kShift);
#pragma unroll
    for (int chunk = 0; chunk < kHeld; ++chunk) {
      float* to = reinterpret_cast<float*>(stage) + (chunk * kWarps + warp) * kTokens;
#pragma unroll
      for (int h = 0; h < kPairs; ++h) {
        float2 sum = {0, 0};
#pragma unroll
        for (int a = chunk * kRows; a < (chunk + 1) * kRows; ++a) {
          sum.x = fmaf(k[a][2 * h], scales[a], sum.x);
          sum.y = fmaf(k[a][2 * h + 1], scales[a], sum.y);
        }
        *reinterpret_cast<float2*>(to + column_of(2 * h)) = sum;
      }
    }
  };
  const auto add = [](float4& sum, const float4& part) {
    sum = {sum.x + part.x, sum.y + part.y, sum.z + part.z, sum.w + part.w};
  };
  // Four columns per thread: of a chunk's partial sums, to their owner.
  const auto send_parts = [&](float4* to) {
    constexpr int kQuads = kTokens / 4;
    if (tid >= kQuads * kHeld) return;
    const int chunk = tid / kQuads, quad = tid % kQuads;
    const float4* from = stage + chunk * kWarps * kQuads + quad;
    float4 sum = from[0];
#pragma unroll 4
    for (int w = 1; w < kWarps; ++w) add(sum, from[w * kQuads]);
    to += (rank * kHeld + chunk) * (kOwn / 4) + quad % (kOwn / 4);
    ptx::st_async_f4(reinterpret_cast<float*>(to), sum, parts_came, unsigned(quad / (kOwn / 4)));
  };
  // Four own columns and one block to send them to per thread.
  const auto send_v = [&](const float4* from, uint32_t parity) {
    constexpr int kQuads = kOwn / 4;
    if (tid >= kQuads * kBlocks) return;
    const int quad = tid % kQuads;
    ptx::mbar_wait(parts_came, parity);
    float4 sum = from[quad];
#pragma unroll 4
    for (int chunk = 1; chunk < kChunks; ++chunk) add(sum, from[chunk * kQuads + quad]);
    const float sums[4] = {sum.x, sum.y, sum.z, sum.w};
    float v[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int j = 4 * quad + i;
      v[i] = first + j < n ? scale(q[j], sums[i], b.power, good) : 0.0f;
    }
    ptx::st_async_f4(x + first + 4 * quad, {v[0], v[1], v[2], v[3]}, x_came, unsigned(tid / kQuads));
  };

  float u = live ? start : 0.0f, result = 0;
  for (int i = 0;; ++i) {
    const float r = b.reads_v(i) ? row_sums(b.printed()) : 0.0f;
    if (b.updates_u(i) && live) u = scale(p[mine], r, b.power, good);
    if (i == b.iterations) {
      const float last = b.printed() ? row_sums(false) : r;
      result = b.solver == TOPV_SOLVER_ONE_SIDED ? last : u * last;
      break;
    }
    stage_columns(u);
    if (tid == 0) {
      ptx::mbar_arrive_expect(parts_came, kChunks * kOwn * sizeof(float));
      ptx::mbar_arrive_expect(x_came, kTokens * sizeof(float));
    }
    __syncthreads();
    float4* const turn = parts + i % 2 * (kChunks * kOwn / 4);
    send_parts(turn);
    send_v(turn, unsigned(i % 2));
    ptx::mbar_wait(x_came, unsigned(i % 2));
  }

  // Every block learns whether float32 sufficed everywhere.
  good = good && (!live || finite(result));
  const int all_good = __syncthreads_and(good);
  if (tid < kBlocks) *ptx::map_rank(good_of_block + rank, unsigned(tid)) = all_good;
  ptx::cluster_sync();
  good = true;
  for (int i = 0; i < kBlocks; ++i) good = good && good_of_block[i] != 0;
  if (rank == 0 && tid == 0) state = {good ? kGood : kRange, shift};
  if (good) {
    if (live && lane % (1 << L::kShift) == 0) b.importance[image.token + first + mine] = result;
  } else {
    for (int j = tid; j < kOwn && first + j < n; j += kThreads) {
      b.p[image.token + first + j] = p[j];
      b.q[image.token + first + j] = q[j];
    }
  }
#endif
}

template <int kRows, int kHeld>
Shape shape_of(int images) {
  using L = Layout<kRows, kHeld>;
  Shape shape = {dim3(unsigned(images * L::kBlocks)), dim3(kThreads), L::kShared};
  shape.cluster = L::kBlocks;
  return shape;
}

/// How many images this form has on the device at a time; 0 where its clusters are too large for it.
template <int kRows, int kHeld>
int resident(const Run& run) {
  return resident_clusters(run, shape_of<kRows, kHeld>(1), sinkhorn_cluster_kernel<kRows, kHeld>);
}

template <int kRows, int kHeld>
bool start(const Run& run, const Batch& batch) {
  launch(run, shape_of<kRows, kHeld>(batch.images), sinkhorn_cluster_kernel<kRows, kHeld>, batch);
  return true;
}

}  // namespace

int cluster_rows(const Run& run, int64_t tokens) {
  const int64_t rows = ceil_div(tokens, kChunks * kWarps);
  return run.device.hopper() && rows <= kMostRows ? int(rows) : 0;
}

bool scale_on_clusters(const Run& run, const Batch& batch, int rows) {
  if (rows == 1) return start<1, 8>(run, batch);
  if (rows == 2) return start<2, 4>(run, batch);
  // A cluster of 16 blocks needs a whole GPC, or nearly so: there are few at a time, and on some devices none. It takes
  // about 3/4 of the time of one of 8.
  if (rows == 3) {
    const int wide = resident<3, 1>(run), narrow = resident<3, 2>(run);
    if (wide > 0 && (narrow == 0 || 3 * ceil_div(batch.images, wide) <= 4 * ceil_div(batch.images, narrow)))
      return start<3, 1>(run, batch);
    return narrow > 0 && start<3, 2>(run, batch);
  }
  return rows == 4 && resident<4, 1>(run) > 0 && start<4, 1>(run, batch);
}

}  // namespace topv::cuda::transport
