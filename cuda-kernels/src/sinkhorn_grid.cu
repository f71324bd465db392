// Importance of each source token, on any GPU and for any N: the blocks of a cooperative grid share all images.
//
// An image is cut in slabs of 16 tokens. In a step, a block that has a slab sums its rows of K v, a warp per row,
// scales u, and adds its rows up to one partial sum per column; after a barrier over the grid, it sums the partial sums
// of its columns over all slabs and scales v. K is computed from C, once per step where the rows fit into shared memory
// (N <= 3,500 on Hopper, 2,500 on an A100), and once for all where besides every block has but one slab. Every sum has
// an order that depends on N alone, so an image has the same result alone and in a batch.
//
// Grid: slabs, at most one or two blocks per SM, which take several. Bound: two barriers, and N^2 floats per iteration
// from L2 (N <= 3,800 on an H200) or memory unless they stay in shared memory. Scratch: N^2 / 16 floats.
#include <algorithm>

#include "sinkhorn.cuh"

namespace topv::cuda::transport {
namespace {

constexpr int kSlab = 16;  // tokens
constexpr int kThreads = 512, kWarps = kThreads / 32;
constexpr int kParts = kThreads / kSlab;  // threads that share a column's sum
constexpr int64_t kStaticBytes =
    4096;  // at least: static shared memory, and what the system takes of a block's
static_assert(kWarps == kSlab, "a warp per row");

/// Intermediate results. Vectors are packed over the images like the marginals.
struct Work {
  float *u, *v, *x;  // x = v, or its exponential where printed
  float* result;
  float* least;    // [slabs]: the smallest cost, NaN where one is not finite
  float* partial;  // [slabs, N of the slab's image]
  int32_t held;    // floats of shared memory for the rows of a slab; 0 where they do not fit
  int32_t slabs;
  int32_t slab[kImages];  // first slab of each image
};

struct Slab {
  const Image& image;
  State& state;
  int64_t cost, token;  // its first row in the matrices, its first token in the packed vectors
  float* partial;       // of the image
  int number, count;    // which slab of how many of its image
  int rows;             // at most kSlab
  int index;            // among the slabs of the launch

  __device__ __forceinline__ Slab(const Batch& b, const Work& w, int m, int slab, int64_t partial_of)
      : image(b.image[m]),
        state(b.state[image.index]),
        cost(image.cost + int64_t{slab - w.slab[m]} * kSlab * image.tokens),
        token(image.token + int64_t{slab - w.slab[m]} * kSlab),
        partial(w.partial + partial_of),
        number(slab - w.slab[m]),
        count((image.tokens + kSlab - 1) / kSlab),
        rows(min(kSlab, image.tokens - number * kSlab)),
        index(slab) {}
};

/// Runs body for every slab of this block.
template <typename Body>
__device__ __forceinline__ void for_slabs(const Batch& b, const Work& w, Body body) {
  int m = 0;
  int64_t partial = 0;
  for (int slab = int(blockIdx.x); slab < w.slabs; slab += int(gridDim.x)) {
    for (; m + 1 < b.images && w.slab[m + 1] <= slab; ++m)
      partial += int64_t{w.slab[m + 1] - w.slab[m]} * b.image[m].tokens;
    body(Slab(b, w, m, slab, partial));
    __syncthreads();  // its shared memory
  }
}

/// The smallest cost of each slab; with the first slab of an image, its marginals and the start of u and v.
__device__ __forceinline__ void prepare(const Batch& b, const Work& w, float (&least_of)[kWarps],
                                        double (&weights)[2]) {
  const int tid = int(threadIdx.x), warp = tid / 32, lane = tid % 32;
  for_slabs(b, w, [&](const Slab& s) {
    const int n = s.image.tokens;
    float least = INFINITY;
    if (warp < s.rows) {
      const float* row = b.cost + s.cost + int64_t{warp} * n;
      bool good = true;
#pragma unroll 4
      for (int j = lane; j < n; j += 32) {
        good = good && finite(row[j]);
        least = fminf(least, row[j]);
      }
      good = __all_sync(~0u, good);
      least = good ? -warp_max(-least) : NAN;
      if (!good) report_costs(b, s.image, s.number * kSlab + warp);
    }
    if (lane == 0) least_of[warp] = least;
    if (s.number == 0 && warp < 2) {
      const double sum = weight_sum(b, s.image, warp == 0);
      if (lane == 0) weights[warp] = sum;
    }
    __syncthreads();
    if (tid == 0) {
      for (int i = 0; i < kWarps; ++i)
        least = least_of[i] < least || least_of[i] != least_of[i] ? least_of[i] : least;
      w.least[s.index] = least;
    }
    if (s.number > 0) return;
    if (tid == 0) s.state = {weights[0] == weights[0] && weights[1] == weights[1] ? kGood : kFaulty, 0.0f};
    for (int j = tid; j < n; j += kThreads) {
      const int64_t at = s.token + j;
      b.p[at] = marginal(b.source_weight, s.image, j, weights[0]);
      b.q[at] = marginal(b.target_weight, s.image, j, weights[1]);
      w.u[at] = w.v[at] = b.printed() ? 0.0f : 1.0f;
      w.x[at] = 1.0f;
    }
  });
}

/// The smallest cost of each image, from those of its slabs.
__device__ __forceinline__ void find_shift(const Batch& b, const Work& w) {
  for_slabs(b, w, [&](const Slab& s) {
    if (s.number > 0 || threadIdx.x >= 32) return;
    float least = INFINITY;
    bool good = true;
    for (int i = int(threadIdx.x); i < s.count; i += 32) {
      good = good && w.least[s.index + i] == w.least[s.index + i];
      least = fminf(least, w.least[s.index + i]);
    }
    good = __all_sync(~0u, good);
    least = -warp_max(-least);
    if (threadIdx.x > 0) return;
    if (!good) s.state.status = kFaulty;
    s.state.shift = b.printed() ? 0.0f : least;
  });
}

/// The rows of K that a block has at hand: in shared memory where they fit, else computed from C at every use.
struct Rows {
  const float* cost;
  float* held;  // nullable
  bool filled;  // held has the rows of this slab
  int n;
  Gibbs gibbs;

  /// Sum of row k of K times x, by a warp. Fills the held row.
  __device__ __forceinline__ float sum(int k, const float* x) const {
    const float* const c = cost + int64_t{k} * n;
    float total = 0;
    if (filled) {
#pragma unroll 4
      for (int j = int(threadIdx.x) % 32; j < n; j += 32) total = fmaf(held[k * n + j], x[j], total);
    } else {
#pragma unroll 4
      for (int j = int(threadIdx.x) % 32; j < n; j += 32) {
        const float value = gibbs(c[j]);
        if (held != nullptr) held[k * n + j] = value;
        total = fmaf(value, x[j], total);
      }
    }
    return warp_sum(total);
  }
  /// Sum over the first count rows of column j, scaled.
  __device__ __forceinline__ float column(int j, const float* scales, int count) const {
    float total = 0;
    if (filled) {
#pragma unroll 4
      for (int k = 0; k < count; ++k) total = fmaf(held[k * n + j], scales[k], total);
    } else {
#pragma unroll 4
      for (int k = 0; k < count; ++k) total = fmaf(gibbs(cost[int64_t{k} * n + j]), scales[k], total);
    }
    return total;
  }
};

/// Step i of the rows: r, u, the partial sums of c; after the last iteration the importance.
__device__ __forceinline__ void step_rows(const Batch& b, const Work& w, int i, float (&scales)[kSlab],
                                          float* held) {
  const int tid = int(threadIdx.x), warp = tid / 32, lane = tid % 32;
  const bool kept = w.slabs <= int(gridDim.x) && i > 0 && b.reads_v(i - 1);  // the block has but one slab
  for_slabs(b, w, [&](const Slab& s) {
    const int n = s.image.tokens;
    Rows rows = {b.cost + s.cost, held, held != nullptr && kept, n, Gibbs(s.state.shift, b.epsilon)};
    const int64_t at = s.token + warp;
    if (warp < s.rows) {
      const float r = b.reads_v(i) ? rows.sum(warp, w.x + s.image.token) : 0.0f;
      float u = w.u[at];
      bool good = true;
      if (b.updates_u(i)) u = scale(b.p[at], r, b.power, good);
      __syncwarp();  // all lanes have read u
      if (i == b.iterations) {
        const float last = b.printed() ? rows.sum(warp, w.v + s.image.token) : r;
        const float result = b.solver == TOPV_SOLVER_ONE_SIDED ? last : u * last;
        good = good && finite(result);
        if (lane == 0) w.result[at] = result;
      }
      if (lane == 0) {
        if (!good) atomicMax(&s.state.status, int(kRange));
        w.u[at] = u;
        scales[warp] = b.printed() ? expf(u / b.epsilon) : u;
      }
    }
    if (i == b.iterations) return;
    __syncthreads();
    rows.filled = held != nullptr && b.reads_v(i);
    for (int j = tid; j < n; j += kThreads)
      s.partial[int64_t{s.number} * n + j] = rows.column(j, scales, s.rows);
  });
}

/// c from its partial sums, and v.
__device__ __forceinline__ void step_columns(const Batch& b, const Work& w, float (&parts)[kParts][kSlab]) {
  const int column = int(threadIdx.x) % kSlab, part = int(threadIdx.x) / kSlab;
  for_slabs(b, w, [&](const Slab& s) {
    const int n = s.image.tokens;
    const int64_t at = s.token + column;
    float sum = 0;
    if (column < s.rows) {
#pragma unroll 4
      for (int k = part; k < s.count; k += kParts)
        sum += s.partial[int64_t{k} * n + s.number * kSlab + column];
    }
    parts[part][column] = sum;
    __syncthreads();
    if (part > 0 || column >= s.rows) return;
    for (int k = 1; k < kParts; ++k) sum += parts[k][column];
    bool good = true;
    const float v = scale(b.q[at], sum, b.power, good);
    if (!good) atomicMax(&s.state.status, int(kRange));
    w.v[at] = v;
    w.x[at] = b.printed() ? expf(v / b.epsilon) : v;
  });
}

__global__ void __launch_bounds__(kThreads, 2)
    sinkhorn_grid_kernel(const __grid_constant__ Batch b, const __grid_constant__ Work w) {
  TOPV_SHARED(float, scales, [kSlab]);
  TOPV_SHARED(double, weights, [2]);
  TOPV_SHARED(float, parts, [kParts][kSlab]);
  TOPV_ARENA(arena);
  float* const held = w.held > 0 ? arena.take<float>(size_t(w.held), 128) : nullptr;
  prepare(b, w, scales, weights);
  ptx::grid_sync();
  find_shift(b, w);
  ptx::grid_sync();
  for (int i = 0; i < b.iterations; ++i) {
    step_rows(b, w, i, scales, held);
    ptx::grid_sync();
    step_columns(b, w, parts);
    ptx::grid_sync();
  }
  step_rows(b, w, b.iterations, scales, held);
  ptx::grid_sync();
  for_slabs(b, w, [&](const Slab& s) {
    const int64_t at = s.token + threadIdx.x;
    if (int(threadIdx.x) < s.rows && s.state.status == kGood) b.importance[at] = w.result[at];
  });
}

// ---- the logarithmic domain, double: one image after the other, each by the whole grid

/// Of the image at hand.
struct Logarithms {
  double *u, *v;              // logarithms
  double *scale_u, *scale_v;  // the same, or exp() / epsilon where printed
  float* result;
  int* seen;  // kNotFinite, kPositive: of the results
};
enum Seen : int { kNotFinite = 1, kPositive = 2 };

/// log sum_k exp(scale_k - (cost_k - shift) / epsilon) over k = first, first + step, ..: parts that join() adds up.
struct LogSum {
  double most, sum;  // the logarithm is most + log(sum)

  __device__ __forceinline__ LogSum(const float* cost, int64_t stride, const double* scale, int first,
                                    int step, int n, double shift, double inverse)
      : most(-INFINITY), sum(0) {
    for (int k = first; k < n; k += step) most = fmax(most, scale[k] - (cost[k * stride] - shift) * inverse);
    if (!(fabs(most) < INFINITY)) return;
    for (int k = first; k < n; k += step) sum += exp(scale[k] - (cost[k * stride] - shift) * inverse - most);
  }
  /// A part's sum relative to a larger most.
  __device__ __forceinline__ double relative(double to) const {
    return fabs(most) < INFINITY ? sum * exp(most - to) : 0;
  }
};

__device__ __forceinline__ double log_row_sum(const float* row, const double* scale, int n, double shift,
                                              double inverse) {
  const LogSum part(row, 1, scale, int(threadIdx.x) % 32, 32, n, shift, inverse);
  const double most = warp_max(part.most);
  if (!(fabs(most) < INFINITY)) return most;
  return most + log(warp_sum(part.relative(most)));
}

__global__ void __launch_bounds__(kThreads, 1)
    sinkhorn_logarithms_kernel(const __grid_constant__ Batch b, const __grid_constant__ Logarithms w) {
  TOPV_SHARED(double, most_of, [kParts][kSlab]);
  TOPV_SHARED(double, sum_of, [kParts][kSlab]);
  const int tid = int(threadIdx.x), lane = tid % 32, column = tid % kSlab, part = tid / kSlab;
  const int block = int(blockIdx.x), blocks = int(gridDim.x);
  const double power = b.power, inverse = 1.0 / static_cast<double>(b.epsilon);
  for (int m = 0; m < b.images; ++m) {
    const Image& image = b.image[m];
    const State state = b.state[image.index];
    if (state.status != kRange) continue;  // the same decision in every block
    const int n = image.tokens;
    const double shift = state.shift;
    const float *cost = b.cost + image.cost, *p = b.p + image.token, *q = b.q + image.token;

    for (int i = block * kThreads + tid; i < n; i += blocks * kThreads) {
      w.u[i] = w.v[i] = b.printed() ? -INFINITY : 0;
      w.scale_u[i] = w.scale_v[i] = 0;  // exp(-inf) / epsilon, or log 1
    }
    if (block == 0 && tid == 0) *w.seen = 0;
    ptx::grid_sync();

    for (int i = 0;; ++i) {
      const bool last = i == b.iterations;
      for (int row = block * kWarps + tid / 32; b.reads_v(i) && row < n; row += blocks * kWarps) {
        const float* costs = cost + int64_t{row} * n;
        const double r = log_row_sum(costs, w.scale_v, n, shift, inverse);
        double u = w.u[row];
        if (b.updates_u(i)) u = power * (log(static_cast<double>(p[row])) - r);
        __syncwarp();  // all lanes have read u
        const double sum = last && b.printed() ? log_row_sum(costs, w.v, n, shift, inverse) : r;
        if (lane > 0) continue;
        w.u[row] = u;
        w.scale_u[row] = b.printed() ? exp(u) * inverse : u;
        if (!last) continue;
        const float result = static_cast<float>(exp(u + sum));
        w.result[row] = result;
        atomicOr(w.seen, (finite(result) ? 0 : kNotFinite) | (result > 0 ? kPositive : 0));
      }
      ptx::grid_sync();
      if (last) break;
      for (int first = block * kSlab; first < n; first += blocks * kSlab) {
        const int j = first + column;
        if (j < n) {
          const LogSum sum(cost + j, n, w.scale_u, part, kParts, n, shift, inverse);
          most_of[part][column] = sum.most;
          sum_of[part][column] = sum.sum;
        }
        __syncthreads();
        if (part == 0 && j < n) {
          double most = most_of[0][column], sum = 0;
          for (int k = 1; k < kParts; ++k) most = fmax(most, most_of[k][column]);
          for (int k = 0; k < kParts; ++k) {
            if (fabs(most_of[k][column]) < INFINITY)
              sum += sum_of[k][column] * exp(most_of[k][column] - most);
          }
          const double c = fabs(most) < INFINITY ? most + log(sum) : most;
          const double v = power * (log(static_cast<double>(q[j])) - c);
          w.v[j] = v;
          w.scale_v[j] = b.printed() ? exp(v) * inverse : v;
        }
        __syncthreads();
      }
      ptx::grid_sync();
    }

    if (*w.seen == kPositive) {
      for (int i = block * kThreads + tid; i < n; i += blocks * kThreads)
        b.importance[image.token + i] = w.result[i];
    } else if (block == 0 && tid == 0) {
      report(b.fault, FaultKind::sinkhorn_range, image.index, 0, 0, b.epsilon);
    }
    ptx::grid_sync();  // the next image uses the same memory
  }
}

int slabs(const Image& image) { return int(ceil_div(image.tokens, kSlab)); }

/// Starts as many blocks as are resident at once, at most the number given.
template <typename Work>
void launch_at_once(const Run& run, int64_t blocks, size_t shared, void (*kernel)(Batch, Work),
                    const Batch& batch, const Work& work) {
  Shape shape = {dim3(1), dim3(kThreads), shared};
  shape.cooperative = true;
  shape.grid.x = unsigned(std::clamp(resident_blocks(run, shape, kernel), int64_t{1}, blocks));
  launch(run, shape, kernel, batch, work);
}

}  // namespace

void scale_on_grid(const Run& run, const Batch& batch) {
  Work work = {};
  int64_t partial = 0, end = 0, most = 0;
  for (int m = 0; m < batch.images; ++m) {
    const Image& image = batch.image[m];
    work.slab[m] = work.slabs;
    work.slabs += slabs(image);
    partial += int64_t{slabs(image)} * image.tokens;
    end = std::max(end, image.token + image.tokens);
    most = std::max<int64_t>(most, image.tokens);
  }
  for (float** vector : {&work.u, &work.v, &work.x, &work.result}) *vector = run.scratch.take<float>(end);
  work.least = run.scratch.take<float>(work.slabs);
  work.partial = run.scratch.take<float>(partial);

  const int64_t held = most * kSlab, room = (run.device.shared_bytes - kStaticBytes) / int64_t{sizeof(float)};
  if (held <= room) work.held = int32_t(held);
  launch_at_once(run, work.slabs, size_t(work.held) * sizeof(float), sinkhorn_grid_kernel, batch, work);
}

void solve_logarithms(const Run& run, const Batch& batch) {
  int64_t most = 0, blocks = 0;
  for (int m = 0; m < batch.images; ++m) {
    most = std::max<int64_t>(most, batch.image[m].tokens);
    blocks = std::max<int64_t>(blocks, slabs(batch.image[m]));
  }
  Logarithms work = {};
  for (double** vector : {&work.u, &work.v, &work.scale_u, &work.scale_v})
    *vector = run.scratch.take<double>(most);
  work.result = run.scratch.take<float>(most);
  work.seen = run.scratch.take<int>(1);
  launch_at_once(run, blocks, 0, sinkhorn_logarithms_kernel, batch, work);
}

}  // namespace topv::cuda::transport
