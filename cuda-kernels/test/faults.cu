// Kernels with a fault in them, each right but for one line. `faults` runs all without their faults, and fails where a result
// is wrong; `faults <name>` plants the fault, and says what came of it. CMakeLists.txt states what must be said, and whose
// task it is to notice: the emulation itself, AddressSanitizer, UBSan or ThreadSanitizer.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <numeric>

#include "test_run.hpp"

namespace topv::cuda {
namespace {

struct Case {
  const char* name;
  /// Whether the result was right.
  bool (*run)(bool planted);
};
std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
struct Registrar {
  Registrar(const char* name, bool (*run)(bool)) { cases().push_back({name, run}); }
};

/// A kernel `name`_kernel<bool kPlanted>, and how it is judged: FAULT(name) { ... return right; }.
#define FAULT(name)                                     \
  bool name##_case(bool planted);                       \
  const Registrar name##_registrar(#name, name##_case); \
  bool name##_case(bool planted)
/// Launches the kernel of a fault, with it or without.
#define RUN(name, shape, ...) \
  launch(test_run(), shape, planted ? name##_kernel<true> : name##_kernel<false>, __VA_ARGS__)

std::vector<float> ramp(size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}
/// NaN is equal to nothing.
bool equal(const std::vector<float>& a, const std::vector<float>& b) { return a == b; }

// ---- shared memory

/// Reverses a block.
template <bool kPlanted>
__global__ void missing_barrier_kernel(const float* x, float* y) {
  TOPV_SHARED(float, tile, [128]);
  tile[threadIdx.x] = x[threadIdx.x];
  if (!kPlanted) __syncthreads();
  y[threadIdx.x] = tile[127 - threadIdx.x];
}
FAULT(missing_barrier) {
  const Buffer<float> x(ramp(128)), y(128);
  RUN(missing_barrier, (Shape{dim3(1), dim3(128)}), x.data(), y.data());
  std::vector<float> expected = ramp(128);
  std::reverse(expected.begin(), expected.end());
  return equal(y.read(), expected);
}

/// Rotates each warp.
template <bool kPlanted>
__global__ void missing_syncwarp_kernel(const float* x, float* y) {
  TOPV_SHARED(float, tile, [32]);
  tile[threadIdx.x] = x[threadIdx.x];
  if (!kPlanted) __syncwarp();
  y[threadIdx.x] = tile[(threadIdx.x + 1) % 32];
}
FAULT(missing_syncwarp) {
  const Buffer<float> x(ramp(32)), y(32);
  RUN(missing_syncwarp, (Shape{dim3(1), dim3(32)}), x.data(), y.data());
  std::vector<float> expected = ramp(32);
  std::rotate(expected.begin(), expected.begin() + 1, expected.end());
  return equal(y.read(), expected);
}

template <bool kPlanted>
__global__ void shared_write_kernel(float* y) {
  TOPV_SHARED(float, tile, [33]);
  tile[threadIdx.x + (kPlanted ? 2 : 1)] = float(threadIdx.x);
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x + (kPlanted ? 2 : 1)];
}
FAULT(shared_write) {
  const Buffer<float> y(32);
  RUN(shared_write, (Shape{dim3(1), dim3(32)}), y.data());
  return equal(y.read(), ramp(32));
}

template <bool kPlanted>
__global__ void shared_read_kernel(float* y) {
  TOPV_ARENA(arena);
  float* tile = arena.take<float>(32);
  float* other = arena.take<float>(32);
  tile[threadIdx.x] = other[threadIdx.x] = float(threadIdx.x);
  __syncthreads();
  y[threadIdx.x] = tile[kPlanted ? threadIdx.x + 1 : threadIdx.x];
}
FAULT(shared_read) {
  const Buffer<float> y(32);
  RUN(shared_read, (Shape{dim3(1), dim3(32), 256}), y.data());
  return equal(y.read(), ramp(32));
}

template <bool kPlanted>
__global__ void shared_uninitialised_kernel(float* y) {
  TOPV_SHARED(float, tile, [64]);
  tile[threadIdx.x] = float(threadIdx.x);
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x] + (kPlanted ? tile[threadIdx.x + 32] : 0);
}
FAULT(shared_uninitialised) {
  const Buffer<float> y(32);
  RUN(shared_uninitialised, (Shape{dim3(1), dim3(32)}), y.data());
  return equal(y.read(), ramp(32));
}

template <bool kPlanted>
__global__ void arena_exhausted_kernel(float* y) {
  TOPV_ARENA(arena);
  float* tile = arena.take<float>(kPlanted ? 65 : 64);
  tile[threadIdx.x] = float(threadIdx.x);
  y[threadIdx.x] = tile[threadIdx.x];
}
FAULT(arena_exhausted) {
  const Buffer<float> y(32);
  RUN(arena_exhausted, (Shape{dim3(1), dim3(32), 256}), y.data());
  return equal(y.read(), ramp(32));
}

// ---- global memory

template <bool kPlanted>
__global__ void global_write_kernel(float* y) {
  y[threadIdx.x + (kPlanted ? 1 : 0)] = float(threadIdx.x);
}
FAULT(global_write) {
  const Buffer<float> y(33), small(32);
  RUN(global_write, (Shape{dim3(1), dim3(32)}), small.data());
  return equal(small.read(), ramp(32));
}

template <bool kPlanted>
__global__ void global_uninitialised_kernel(const float* x, float* y) {
  y[threadIdx.x] = kPlanted ? x[threadIdx.x] : float(threadIdx.x);
}
FAULT(global_uninitialised) {
  const Buffer<float> x(32), y(32);
  RUN(global_uninitialised, (Shape{dim3(1), dim3(32)}), x.data(), y.data());
  return equal(y.read(), ramp(32));
}

template <bool kPlanted>
__global__ void misaligned_vector_kernel(const float* x, float* y) {
  const float4 v = *reinterpret_cast<const float4*>(x + 4 * threadIdx.x + (kPlanted ? 1 : 0));
  y[threadIdx.x] = v.x / 4;
}
FAULT(misaligned_vector) {
  const Buffer<float> x(ramp(132)), y(32);
  RUN(misaligned_vector, (Shape{dim3(1), dim3(32)}), x.data(), y.data());
  return equal(y.read(), ramp(32));
}

/// Two blocks, one word.
template <bool kPlanted>
__global__ void race_of_blocks_kernel(float* y) {
  const unsigned block = kPlanted ? 0 : blockIdx.x;
  y[block * 32 + threadIdx.x] = float(threadIdx.x);
}
FAULT(race_of_blocks) {
  const Buffer<float> y(64);
  RUN(race_of_blocks, (Shape{dim3(2), dim3(32)}), y.data());
  std::vector<float> first = y.read();
  first.resize(32);
  return equal(first, ramp(32));
}

/// Each block adds to what the one before it has published.
template <bool kPlanted>
__global__ void plain_store_kernel(uint32_t* flag, float* sum, uint32_t* ticket) {
  TOPV_SHARED(uint32_t, place, [1]);
  if (threadIdx.x == 0) {
    *place = ptx::atomic_add_acq_rel(ticket, 1);
    if (*place > 0) {
      while (ptx::ld_acquire(flag + *place - 1) == 0) ptx::poll();
      sum[*place] = sum[*place - 1] + 1;
    } else {
      sum[0] = 0;
    }
    if (kPlanted)
      *reinterpret_cast<volatile uint32_t*>(flag + *place) = 1;
    else
      ptx::st_release(flag + *place, 1);
  }
}
FAULT(plain_store) {
  const Buffer<uint32_t> flag(std::vector<uint32_t>(32)), ticket(std::vector<uint32_t>(1));
  const Buffer<float> sum(32);
  RUN(plain_store, (Shape{dim3(32), dim3(32)}), flag.data(), sum.data(), ticket.data());
  return equal(sum.read(), ramp(32));
}

template <bool kPlanted>
__global__ void missing_grid_sync_kernel(float* x, float* y) {
  x[blockIdx.x * 32 + threadIdx.x] = float(blockIdx.x * 32 + threadIdx.x);
  if (!kPlanted) ptx::grid_sync();
  const unsigned other = gridDim.x - 1 - blockIdx.x;
  y[other * 32 + threadIdx.x] = x[other * 32 + threadIdx.x];
}
FAULT(missing_grid_sync) {
  const Buffer<float> x(128), y(128);
  RUN(missing_grid_sync, (Shape{dim3(4), dim3(32), 0, 1, true}), x.data(), y.data());
  return equal(y.read(), ramp(128));
}

template <bool kPlanted>
__global__ void grid_sync_alone_kernel(float* y) {
  if (kPlanted) ptx::grid_sync();
  y[threadIdx.x] = float(threadIdx.x);
}
FAULT(grid_sync_alone) {
  const Buffer<float> y(32);
  RUN(grid_sync_alone, (Shape{dim3(1), dim3(32)}), y.data());
  return equal(y.read(), ramp(32));
}

// ---- threads that do not meet

template <bool kPlanted>
__global__ void divergent_barrier_kernel(float* y) {
  if (kPlanted && threadIdx.x % 2 == 1)
    __syncthreads();
  else
    __syncthreads();
  y[threadIdx.x] = float(threadIdx.x);
}
FAULT(divergent_barrier) {
  const Buffer<float> y(32);
  RUN(divergent_barrier, (Shape{dim3(1), dim3(32)}), y.data());
  return equal(y.read(), ramp(32));
}

template <bool kPlanted>
__global__ void diverged_warp_kernel(float* y) {
  float v = float(threadIdx.x);
  if (kPlanted && threadIdx.x % 2 == 1)
    v = __shfl_xor_sync(~0u, v, 1);
  else
    v = __shfl_down_sync(~0u, v, 0);
  y[threadIdx.x] = v;
}
FAULT(diverged_warp) {
  const Buffer<float> y(32);
  RUN(diverged_warp, (Shape{dim3(1), dim3(32)}), y.data());
  return equal(y.read(), ramp(32));
}

template <bool kPlanted>
__global__ void missing_lanes_kernel(float* y) {
  float v = float(threadIdx.x);
  if (!kPlanted || threadIdx.x < 16) v = __shfl_sync(~0u, v, int(threadIdx.x));
  __syncthreads();
  y[threadIdx.x] = v;
}
FAULT(missing_lanes) {
  const Buffer<float> y(32);
  RUN(missing_lanes, (Shape{dim3(1), dim3(32)}), y.data());
  return equal(y.read(), ramp(32));
}

template <bool kPlanted>
__global__ void endless_spin_kernel(float* y, uint32_t* flag) {
  if (!kPlanted && threadIdx.x == 0) ptx::st_release(flag, 1);
  while (ptx::ld_acquire(flag) == 0) ptx::poll();
  y[threadIdx.x] = float(threadIdx.x);
}
FAULT(endless_spin) {
  const Buffer<float> y(32);
  const Buffer<uint32_t> flag(std::vector<uint32_t>(1));
  RUN(endless_spin, (Shape{dim3(1), dim3(32)}), y.data(), flag.data());
  return equal(y.read(), ramp(32));
}

// ---- cp.async: four tiles of 32 floats through two buffers, each thread reading what another one copied

enum class Copying { right, lax_wait, no_wait, early_refill };

template <Copying kHow>
__global__ void copying_kernel(const float* x, float* y) {
  TOPV_SHARED(float4, tile, [2][8]);
  const auto fetch = [&](int i) {
    if (i < 4 && threadIdx.x < 8) ptx::cp_async_16(&tile[i % 2][threadIdx.x], x + i * 32 + threadIdx.x * 4);
    ptx::cp_async_commit();
  };
  fetch(0);
  for (int i = 0; i < 4; i++) {
    fetch(i + 1);
    if (kHow != Copying::no_wait || i < 3) ptx::cp_async_wait<kHow == Copying::lax_wait ? 2 : 1>();
    __syncthreads();
    y[i * 32 + threadIdx.x] = reinterpret_cast<const float*>(tile[i % 2])[threadIdx.x];
    if (kHow != Copying::early_refill) __syncthreads();
  }
  if (kHow != Copying::no_wait) ptx::cp_async_wait<0>();
}
template <Copying kHow>
bool copying(bool planted) {
  const Buffer<float> x(ramp(128)), y(128);
  launch(test_run(), {dim3(1), dim3(32)}, planted ? copying_kernel<kHow> : copying_kernel<Copying::right>,
         x.data(), y.data());
  return equal(y.read(), ramp(128));
}
FAULT(copy_lax_wait) { return copying<Copying::lax_wait>(planted); }
FAULT(copy_no_wait) { return copying<Copying::no_wait>(planted); }
FAULT(copy_early_refill) { return copying<Copying::early_refill>(planted); }

// ---- mbarriers and bulk copies: the same

enum class Bulk { right, no_wait, wrong_parity, not_initialised, early_refill, too_many_arrivals };

template <Bulk kHow>
__global__ void bulk_kernel(const float* x, float* y) {
#if TOPV_SM90
  TOPV_SHARED(float4, tile, [2][8]);
  TOPV_SHARED(uint64_t, full, [2]);
  if (threadIdx.x == 0 && kHow != Bulk::not_initialised) {
    for (int i = 0; i < 2; i++) ptx::mbar_init(full + i, 1);
    ptx::mbar_init_fence();
  }
  __syncthreads();
  const auto fetch = [&](int i) {
    if (threadIdx.x != 0) return;
    ptx::mbar_arrive_expect(full + i % 2, 128);
    ptx::bulk_load(tile[i % 2], x + i * 32, 128, full + i % 2);
  };
  fetch(0);
  for (int i = 0; i < 4; i++) {
    if (i < 3) fetch(i + 1);
    if (kHow == Bulk::too_many_arrivals && i == 3) {
      ptx::mbar_arrive(full + 1);
      ptx::mbar_arrive(full + 1);
    }
    if (kHow != Bulk::no_wait || i < 3)
      ptx::mbar_wait(full + i % 2, kHow == Bulk::wrong_parity ? (i / 2 + 1) % 2 : i / 2 % 2);
    y[i * 32 + threadIdx.x] = reinterpret_cast<const float*>(tile[i % 2])[threadIdx.x];
    if (kHow != Bulk::early_refill) __syncthreads();
  }
#endif
}
template <Bulk kHow>
bool bulk(bool planted) {
  const Buffer<float> x(ramp(128)), y(128);
  launch(test_run(), {dim3(1), dim3(64 / 2)}, planted ? bulk_kernel<kHow> : bulk_kernel<Bulk::right>,
         x.data(), y.data());
  return equal(y.read(), ramp(128));
}
FAULT(mbarrier_no_wait) { return bulk<Bulk::no_wait>(planted); }
FAULT(mbarrier_wrong_parity) { return bulk<Bulk::wrong_parity>(planted); }
FAULT(mbarrier_not_initialised) { return bulk<Bulk::not_initialised>(planted); }
FAULT(mbarrier_early_refill) { return bulk<Bulk::early_refill>(planted); }
FAULT(mbarrier_too_many_arrivals) { return bulk<Bulk::too_many_arrivals>(planted); }

/// Shared memory is written again while a store may still read it.
template <bool kPlanted>
__global__ void bulk_store_reuse_kernel(float* y) {
#if TOPV_SM90
  TOPV_SHARED(float4, tile, [8]);
  auto* values = reinterpret_cast<float*>(tile);
  values[threadIdx.x] = float(threadIdx.x);
  ptx::fence_proxy_async();
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::bulk_store(y, tile, 128);
    ptx::bulk_commit();
    if (!kPlanted) ptx::bulk_wait_read<0>();
  }
  __syncthreads();
  values[threadIdx.x] = -1;
  __syncthreads();
  if (threadIdx.x == 0) ptx::bulk_wait<0>();
#endif
}
FAULT(bulk_store_reuse) {
  const Buffer<float> y(32);
  RUN(bulk_store_reuse, (Shape{dim3(1), dim3(32)}), y.data());
  return equal(y.read(), ramp(32));
}

// ---- clusters: each block reads what its right neighbour has written

enum class Neighbour { right, early, outside, after_end, no_final_barrier };

template <Neighbour kHow>
__global__ void neighbour_kernel(float* y) {
#if TOPV_SM90
  TOPV_SHARED(float, mine, [32]);
  const unsigned rank = ptx::cluster_rank();
  mine[threadIdx.x] = float(((rank + 3) % 4) * 32 + threadIdx.x);
  if (kHow != Neighbour::early) ptx::cluster_sync();
  if (kHow == Neighbour::after_end && rank == 1) return;
  // Time enough for a block to end.
  for (int i = 0; i < 20 && kHow == Neighbour::after_end; i++) ptx::poll();
  const float* theirs = ptx::map_rank(mine, kHow == Neighbour::outside ? rank + 1 : (rank + 1) % 4);
  if (kHow == Neighbour::no_final_barrier) ptx::cluster_sync();
  for (int i = 0; i < 20 && kHow == Neighbour::no_final_barrier && rank != 1; i++) ptx::poll();
  y[rank * 32 + threadIdx.x] = theirs[threadIdx.x];
  if (kHow == Neighbour::right) ptx::cluster_sync();
#endif
}
template <Neighbour kHow>
bool neighbour(bool planted) {
  const Buffer<float> y(128);
  launch(test_run(), {dim3(4), dim3(32), 0, 4},
         planted ? neighbour_kernel<kHow> : neighbour_kernel<Neighbour::right>, y.data());
  return equal(y.read(), ramp(128));
}
FAULT(dsmem_early) { return neighbour<Neighbour::early>(planted); }
FAULT(dsmem_outside) { return neighbour<Neighbour::outside>(planted); }
FAULT(dsmem_after_end) { return neighbour<Neighbour::after_end>(planted); }
FAULT(dsmem_no_final_barrier) { return neighbour<Neighbour::no_final_barrier>(planted); }

// ---- wgmma: D = A B with all elements 1, hence 16 everywhere

enum class Product { right, no_wait, early_read, early_write, no_fence, no_proxy_fence, partial, no_slabs };

template <Product kHow>
__global__ void product_kernel(const __nv_bfloat16* ones, float* y) {
#if TOPV_SM90A
  TOPV_ARENA(arena);
  auto* tile = arena.take<__nv_bfloat16>(64 * 64, 1024);
  for (int i = 8 * threadIdx.x; i < 64 * 64; i += 8 * 128) ptx::cp_async_16(tile + i, ones + i);
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  if (kHow != Product::no_proxy_fence) ptx::fence_proxy_async();
  __syncthreads();
  float d[4];
  if (kHow != Product::no_fence) ptx::wgmma_fence();
  if (kHow != Product::partial || threadIdx.x < 64)
    ptx::wgmma<8, __nv_bfloat16>(d, ptx::wg_desc(tile), ptx::wg_desc(tile), 0);
  if (kHow == Product::no_slabs) {
    float wide[64];
    ptx::wgmma<128, __nv_bfloat16, ptx::Major::mn>(wide, ptx::wg_desc(tile), ptx::wg_desc(tile), 0);
  }
  ptx::wgmma_commit();
  if (kHow == Product::early_read)
    for (int i = 0; i < 4; i++) y[i * 128 + threadIdx.x] = d[i];
  if (kHow == Product::early_write) {
    for (int i = threadIdx.x; i < 64 * 64; i += 128) tile[i] = __float2bfloat16_rn(2);
    __syncthreads();
  }
  if (kHow != Product::no_wait) ptx::wgmma_wait<0>(d);
  if (kHow != Product::early_read)
    for (int i = 0; i < 4; i++) y[i * 128 + threadIdx.x] = d[i];
#endif
}
template <Product kHow>
bool product(bool planted) {
  const Buffer<__nv_bfloat16> ones(std::vector<__nv_bfloat16>(64 * 64, __float2bfloat16_rn(1)));
  const Buffer<float> y(512);
  launch(test_run(), {dim3(1), dim3(128), 64 * 128},
         planted ? product_kernel<kHow> : product_kernel<Product::right>, ones.data(), y.data());
  return equal(y.read(), std::vector<float>(512, 16.0f));
}
FAULT(wgmma_no_wait) { return product<Product::no_wait>(planted); }
FAULT(wgmma_early_read) { return product<Product::early_read>(planted); }
FAULT(wgmma_early_write) { return product<Product::early_write>(planted); }
FAULT(wgmma_no_fence) { return product<Product::no_fence>(planted); }
FAULT(wgmma_no_proxy_fence) { return product<Product::no_proxy_fence>(planted); }
FAULT(wgmma_partial) { return product<Product::partial>(planted); }
FAULT(wgmma_no_slabs) { return product<Product::no_slabs>(planted); }

/// Runs one case, and says what came of it.
bool outcome(const Case& one, bool planted) {
  try {
    const bool right = one.run(planted);
    std::printf("%s: %s result\n", one.name, right ? "right" : "wrong");
    return right;
  } catch (const std::exception& error) {
    std::printf("%s: %s\n", one.name, error.what());
    return false;
  }
}

int run(const char* planted) {
  bool right = true, found = planted == nullptr;
  for (const Case& one : cases()) {
    if (planted != nullptr && std::strcmp(planted, one.name) != 0) continue;
    found = true;
    right = outcome(one, planted != nullptr) && right;
  }
  if (!found) std::printf("no such fault: %s\n", planted);
  return right && found ? 0 : 1;
}

}  // namespace
}  // namespace topv::cuda

int main(int count, char** arguments) { return topv::cuda::run(count > 1 ? arguments[1] : nullptr); }
