// What each wrapper of common/ptx/ does, by itself: one small kernel per wrapper, its result against plain arithmetic of
// the host. The same file runs on the emulation (conformance) and on a GPU (conformance_cuda): what passes on both means the
// same on both, and the emulation may stand in for the GPU in all that is built on the wrappers.
//
// Prints a line per wrapper: the largest difference, what is allowed, and a checksum of the bits of the result.
#include <cmath>
#include <cstdio>
#include <string>

#include "common/elements.cuh"
#include "simt/tensor_core.hpp"
#include "test_run.hpp"

namespace topv::cuda {
namespace {

// ---- the harness

int failures = 0;

/// The same numbers everywhere: multiples of 1/64 in [-1, 1], exact in every element type.
struct Numbers {
  uint32_t state = 1;
  float next() {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<int>(state >> 16) % 129 - 64) / 64;
  }
  template <typename T>
  std::vector<T> array(size_t count) {
    std::vector<T> values(count);
    for (T& value : values) {
      const float x = next();
      if constexpr (std::is_same_v<T, float>) value = x;
      if constexpr (std::is_same_v<T, __nv_bfloat16>) value = __float2bfloat16_rn(x);
      if constexpr (std::is_same_v<T, __half>) value = __float2half_rn(x);
    }
    return values;
  }
};
// On the host.
float value(float x) { return x; }
float value(__nv_bfloat16 x) { return __bfloat162float(x); }
float value(__half x) { return __half2float(x); }

void compare(const std::string& name, const std::vector<float>& actual, const std::vector<double>& expected,
             double allowed) {
  double worst = actual.size() == expected.size() ? 0 : INFINITY;
  uint64_t sum = 14695981039346656037ull;  // FNV-1a of the bits
  for (size_t i = 0; i < actual.size() && i < expected.size(); i++) {
    const double difference = std::fabs(actual[i] - expected[i]);
    if (!(difference <= worst)) worst = difference;  // a NaN stays
    uint32_t bits;
    std::memcpy(&bits, &actual[i], 4);
    sum = (sum ^ bits) * 1099511628211ull;
  }
  const bool passed = worst <= allowed;
  if (!passed) failures++;
  std::printf("%-6s %-28s off by %-10.3g allowed %-10.3g bits %016llx\n", passed ? "ok" : "FAILED",
              name.c_str(), worst, allowed, static_cast<unsigned long long>(sum));
}
template <typename T>
const char* type_name() {
  return std::is_same_v<T, float> ? "f32" : std::is_same_v<T, __half> ? "f16" : "bf16";
}

/// a b, a [rows, depth] and b [depth, n], as the emulation adds: steps of `step` columns, cut off after `bits` bits. The
/// numbers are spread over many exponents, so that there is something to cut off.
template <typename T>
std::vector<double> sums_of_steps(const std::vector<T>& a, const std::vector<T>& b, int rows, int n,
                                  int depth, int step, int bits) {
  std::vector<float> columns(size_t(depth * rows)), right(b.size()), d(size_t(rows * n));
  for (int i = 0; i < rows * depth; i++) columns[size_t(i % depth * rows + i / depth)] = value(a[size_t(i)]);
  for (size_t i = 0; i < b.size(); i++) right[i] = value(b[i]);
  for (int k = 0; k < depth; k += step)
    simt::multiply_add(&columns[size_t(k * rows)], &right[size_t(k * n)], d.data(), rows, n, step, bits,
                       std::is_same_v<T, __half> ? -14 : -126);
  return {d.begin(), d.end()};
}
template <typename T>
void spread(std::vector<T>& values) {
  for (size_t i = 0; i < values.size(); i++) {
    const float x = std::ldexp(value(values[i]), -int(i * 7 % 11));
    if constexpr (std::is_same_v<T, float>) values[i] = x;
    if constexpr (std::is_same_v<T, __nv_bfloat16>) values[i] = __float2bfloat16_rn(x);
    if constexpr (std::is_same_v<T, __half>) values[i] = __float2half_rn(x);
  }
}

// ---- wgmma

constexpr int kDepth = 64;  // one slab of columns k

/// d [64, N] = a [64, 64] b, and b [N, 64] (K-major) or [64, N] (MN-major).
template <int N, typename T, ptx::Major kMajor, bool kRegisters>
__global__ void __launch_bounds__(128)
    wgmma_kernel(const __grid_constant__ ptx::TensorMap a_map, const __grid_constant__ ptx::TensorMap b_map,
                 const T* a, float* out) {
#if TOPV_SM90A
  constexpr int slabs = kMajor == ptx::Major::k ? 1 : (N + 63) / 64;
  constexpr int slab_bytes = kMajor == ptx::Major::k ? N * 128 : kDepth * 128;
  TOPV_ARENA(arena);
  auto* a_tile = arena.take<unsigned char>(64 * 128, 1024);
  auto* b_tile = arena.take<unsigned char>(slabs * slab_bytes, 1024);
  TOPV_SHARED(uint64_t, full, [1]);
  if (threadIdx.x == 0) {
    ptx::mbar_init(full, 1);
    ptx::mbar_init_fence();
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::mbar_arrive_expect(full, 64 * 128 + slabs * slab_bytes);
    ptx::tma_load_2d(a_tile, &a_map, 0, 0, full);
    for (int slab = 0; slab < slabs; slab++)
      ptx::tma_load_2d(b_tile + slab * slab_bytes, &b_map, slab * 64, 0, full);
  }
  ptx::mbar_wait(full, 0);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
  float d[N / 2];
  uint32_t fragment[kDepth / 16][4];
  for (int k = 0; k < kDepth / 16; k++)
    for (int r = 0; r < 4; r++)
      memcpy(&fragment[k][r], a + (warp * 16 + g + r % 2 * 8) * kDepth + k * 16 + 2 * t + r / 2 * 8, 4);
  const auto a_desc = ptx::wg_desc(a_tile);
  const auto b_desc = kMajor == ptx::Major::k ? ptx::wg_desc(b_tile) : ptx::wg_desc_mn(b_tile, slab_bytes);
  ptx::wgmma_fence();
#pragma unroll
  for (int k = 0; k < kDepth / 16; k++) {
    const auto b = ptx::wg_advance(b_desc, kMajor == ptx::Major::k ? k * 32 : k * 2048);
    if constexpr (kRegisters)
      ptx::wgmma<N, T, kMajor>(d, fragment[k], b, k > 0);
    else
      ptx::wgmma<N, T, kMajor>(d, ptx::wg_advance(a_desc, k * 32), b, k > 0);
  }
  ptx::wgmma_commit();
  ptx::wgmma_wait<0>(d);
  for (int i = 0; i < N / 2; i++) out[(warp * 16 + g + i % 4 / 2 * 8) * N + i / 4 * 8 + 2 * t + i % 2] = d[i];
#endif
}

template <int N, typename T, ptx::Major kMajor, bool kRegisters>
void wgmma_case(bool rounds = false) {
  Numbers numbers;
  std::vector<T> a = numbers.array<T>(64 * kDepth), b = numbers.array<T>(N * kDepth);
  if (rounds) spread(a), spread(b);
  const Buffer<T> a_device(a), b_device(b);
  const Buffer<float> out(64 * N);
  const auto a_map = ptx::make_tensor_map(a_device.data(), {kDepth, 64}, {kDepth}, {64, 64});
  const auto b_map = kMajor == ptx::Major::k
                         ? ptx::make_tensor_map(b_device.data(), {kDepth, N}, {kDepth}, {64, N})
                         : ptx::make_tensor_map(b_device.data(), {N, kDepth}, {N}, {64, kDepth});
  launch(test_run(), {dim3(1), dim3(128), 64 * 128 + (N + 63) / 64 * 64 * 128},
         wgmma_kernel<N, T, kMajor, kRegisters>, a_map, b_map, a_device.data(), out.data());
  std::vector<double> expected(64 * N, 0.0);
  for (int m = 0; m < 64; m++)
    for (int n = 0; n < N; n++)
      for (int k = 0; k < kDepth; k++) {
        const int at = kMajor == ptx::Major::k ? n * kDepth + k : k * N + n;
        expected[m * N + n] += double(value(a[m * kDepth + k])) * value(b[at]);
      }
  // Products are multiples of 2^-12 below 1, sums of 64 of them fit in float: the result is exact, unless spread.
  if (rounds) expected = sums_of_steps(a, b, 64, N, kDepth, 16, 25);
  compare("wgmma n" + std::to_string(N) + " " + type_name<T>() + (kMajor == ptx::Major::k ? " k" : " mn") +
              (kRegisters ? " registers" : " shared") + (rounds ? " cut off" : ""),
          out.read(), expected, 0);
}
template <int N, typename T>
void wgmma_cases() {
  wgmma_case<N, T, ptx::Major::k, false>();
  wgmma_case<N, T, ptx::Major::k, true>();
  wgmma_case<N, T, ptx::Major::mn, false>();
  wgmma_case<N, T, ptx::Major::mn, true>();
}

// ---- mma, ldmatrix: D = A B with A row-major [16, k] and B [k, 8] in shared memory

enum class MmaForm { bf16, f16, tf32 };

template <MmaForm kForm, typename T>
__global__ void mma_kernel(const T* a, const T* b, float* out) {
  constexpr int depth = kForm == MmaForm::tf32 ? 8 : 16;
  const int lane = threadIdx.x, g = lane / 4, t = lane % 4;
  float d[4] = {};
  if constexpr (kForm == MmaForm::tf32) {
    const float a_regs[4] = {a[g * depth + t], a[(g + 8) * depth + t], a[g * depth + t + 4],
                             a[(g + 8) * depth + t + 4]};
    const float b_regs[2] = {b[t * 8 + g], b[(t + 4) * 8 + g]};
    ptx::mma_m16n8k8_tf32(d, a_regs, b_regs);
  } else {
    // ldmatrix feeds it: A as it lies, B transposed on the way.
    TOPV_SHARED(uint4, tiles, [16 * 16 / 8 + 16 * 8 / 8]);
    auto* a_tile = reinterpret_cast<T*>(tiles);
    auto* b_tile = a_tile + 256;
    for (int i = lane; i < 256; i += 32) a_tile[i] = a[i];
    for (int i = lane; i < 128; i += 32) b_tile[i] = b[i];
    __syncwarp();
    uint32_t a_regs[4], b_regs[2];
    ptx::ldmatrix_x4<false>(a_regs, a_tile + lane % 16 * 16 + lane / 16 * 8);
    ptx::ldmatrix_x2<true>(b_regs, b_tile + lane % 16 * 8);
    ptx::mma_m16n8k16<T>(d, a_regs, b_regs);
  }
  for (int i = 0; i < 4; i++) out[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

template <MmaForm kForm, typename T>
void mma_case(bool rounds) {
  constexpr int depth = kForm == MmaForm::tf32 ? 8 : 16;
  Numbers numbers;
  std::vector<T> a = numbers.array<T>(16 * depth), b = numbers.array<T>(depth * 8);
  if (rounds) spread(a), spread(b);
  const Buffer<T> a_device(a), b_device(b);
  const Buffer<float> out(128);
  launch(test_run(), {dim3(1), dim3(32)}, mma_kernel<kForm, T>, a_device.data(), b_device.data(), out.data());
  std::vector<double> expected(128, 0.0);
  for (int m = 0; m < 16; m++)
    for (int n = 0; n < 8; n++)
      for (int k = 0; k < depth; k++)
        expected[m * 8 + n] += double(value(a[m * depth + k])) * value(b[k * 8 + n]);
  if (rounds)
    expected = sums_of_steps(a, b, 16, 8, depth, test_hopper() ? depth : depth / 2, test_hopper() ? 25 : 24);
  compare(
      std::string("mma ") + (kForm == MmaForm::tf32 ? "tf32" : type_name<T>()) + (rounds ? " cut off" : ""),
      out.read(), expected, 0);
}

/// Each lane's registers, as they come.
template <int kTiles, bool kTransposed>
__global__ void ldmatrix_kernel(const uint32_t* x, uint32_t* y) {
  TOPV_SHARED(uint4, tiles, [32]);
  for (int i = threadIdx.x; i < 128; i += 32) reinterpret_cast<uint32_t*>(tiles)[i] = x[i];
  __syncwarp();
  uint32_t r[kTiles];
  const void* row = tiles + threadIdx.x % (8 * kTiles);
  if constexpr (kTiles == 4)
    ptx::ldmatrix_x4<kTransposed>(r, row);
  else
    ptx::ldmatrix_x2<kTransposed>(r, row);
  for (int i = 0; i < kTiles; i++) y[i * 32 + threadIdx.x] = r[i];
}
template <int kTiles, bool kTransposed>
void ldmatrix_case() {
  std::vector<uint32_t> x(128);
  for (uint32_t i = 0; i < 128; i++) x[i] = (2 * i + 1) << 16 | 2 * i;  // element e of all tiles is e
  const Buffer<uint32_t> in(x), out(kTiles * 32);
  launch(test_run(), {dim3(1), dim3(32)}, ldmatrix_kernel<kTiles, kTransposed>, in.data(), out.data());
  std::vector<float> actual;
  std::vector<double> expected;
  const std::vector<uint32_t> registers = out.read();
  for (int i = 0; i < kTiles * 32; i++)
    for (int half = 0; half < 2; half++) {
      const int row = i % 32 / 4, column = i % 4 * 2 + half;
      actual.push_back(float(registers[size_t(i)] >> 16 * half & 0xffff));
      expected.push_back(i / 32 * 64 + (kTransposed ? column * 8 + row : row * 8 + column));
    }
  compare("ldmatrix x" + std::to_string(kTiles) + (kTransposed ? " trans" : ""), actual, expected, 0);
}

// ---- copies: 256 floats, some of them not valid

template <int kBytes>
__global__ void cp_async_kernel(const float* x, float* y) {
  TOPV_SHARED(float4, tile, [64]);
  constexpr int floats = kBytes / 4;
  float* to = reinterpret_cast<float*>(tile) + threadIdx.x * floats;
  const float* from = x + threadIdx.x * floats;
  const bool valid = threadIdx.x % 3 != 0;
  if (kBytes == 16) ptx::cp_async_16(to, from, valid);
  if (kBytes == 8) ptx::cp_async_8(to, from, valid);
  if (kBytes == 4) ptx::cp_async_4(to, from, valid);
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  for (int i = 0; i < floats; i++) y[threadIdx.x * floats + i] = to[i];
}
template <int kBytes>
void cp_async_case() {
  Numbers numbers;
  const std::vector<float> x = numbers.array<float>(256);
  const Buffer<float> in(x), out(256);
  launch(test_run(), {dim3(1), dim3(1024 / kBytes)}, cp_async_kernel<kBytes>, in.data(), out.data());
  std::vector<double> expected;
  for (size_t i = 0; i < 256; i++) expected.push_back(i / (kBytes / 4) % 3 != 0 ? double(x[i]) : 0.0);
  compare("cp.async " + std::to_string(kBytes), out.read(), expected, 0);
}

/// A box of a tensor of 2 to 4 dimensions, in the order of shared memory.
template <int kRank, typename T>
__global__ void tma_load_kernel(const __grid_constant__ ptx::TensorMap map, int x, int y, int z, int w,
                                int count, float* out) {
#if TOPV_SM90
  TOPV_ARENA(arena);
  T* tile = arena.take<T>(size_t(count), 1024);
  TOPV_SHARED(uint64_t, full, [1]);
  if (threadIdx.x == 0) {
    ptx::mbar_init(full, 1);
    ptx::mbar_init_fence();
    ptx::tma_prefetch(&map);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::mbar_arrive_expect(full, uint32_t(count * sizeof(T)));
    if (kRank == 2) ptx::tma_load_2d(tile, &map, x, y, full);
    if (kRank == 3) ptx::tma_load_3d(tile, &map, x, y, z, full);
    if (kRank == 4) ptx::tma_load_4d(tile, &map, x, y, z, w, full);
  }
  ptx::mbar_wait(full, 0);
  for (int i = threadIdx.x; i < count; i += blockDim.x) out[i] = to_float(tile[i]);
#endif
}

/// Extents 80 x 5 x 3 x 2; the box hangs over the edges of the tensor on both sides.
template <int kRank, typename T>
void tma_load_case(ptx::Swizzle swizzle) {
  const bool swizzled = swizzle == ptx::Swizzle::b128;
  const int64_t extent[4] = {80, 5, kRank > 2 ? 3 : 1, kRank > 3 ? 2 : 1};
  const int box[4] = {swizzled ? 128 / int(sizeof(T)) : 32, 8, kRank > 2 ? 2 : 1, kRank > 3 ? 2 : 1};
  const int at[4] = {64, -2, kRank > 2 ? 2 : 0, kRank > 3 ? -1 : 0};
  Numbers numbers;
  const std::vector<T> values = numbers.array<T>(size_t(80 * 5 * extent[2] * extent[3]));
  const Buffer<T> in(values);
  const int count = box[0] * box[1] * box[2] * box[3];
  const Buffer<float> out{size_t(count)};
  const ptx::TensorMap map =
      kRank == 2 ? ptx::make_tensor_map(in.data(), {80, 5}, {80}, {box[0], 8}, swizzle)
      : kRank == 3
          ? ptx::make_tensor_map(in.data(), {80, 5, 3}, {80, 400}, {box[0], 8, 2}, swizzle)
          : ptx::make_tensor_map(in.data(), {80, 5, 3, 2}, {80, 400, 1200}, {box[0], 8, 2, 2}, swizzle);
  launch(test_run(), {dim3(1), dim3(128), size_t(count) * sizeof(T)}, tma_load_kernel<kRank, T>, map, at[0],
         at[1], at[2], at[3], count, out.data());
  std::vector<double> expected(size_t(count), 0.0);
  for (int i = 0; i < count; i++) {
    const int b[4] = {i % box[0], i / box[0] % box[1], i / (box[0] * box[1]) % box[2],
                      i / (box[0] * box[1] * box[2])};
    bool inside = true;
    int64_t from = 0, stride = 1;
    for (int k = 0; k < 4; k++) {
      inside = inside && at[k] + b[k] >= 0 && at[k] + b[k] < extent[k];
      from += (at[k] + b[k]) * stride;
      stride *= extent[k];
    }
    size_t place = size_t(i);
    if (swizzled) {  // 16-byte pieces of a row of 128 bytes change places
      const size_t byte = size_t(i) * sizeof(T);
      place = (byte ^ (byte >> 7 & 7) << 4) / sizeof(T);
    }
    if (inside) expected[place] = value(values[size_t(from)]);
  }
  compare("tma load " + std::to_string(kRank) + "d " + type_name<T>() + (swizzled ? " b128" : ""), out.read(),
          expected, 0);
}

__global__ void tma_store_kernel(const __grid_constant__ ptx::TensorMap map, const float* x) {
#if TOPV_SM90
  TOPV_ARENA(arena);
  float* tile = arena.take<float>(256, 1024);
  for (int i = threadIdx.x; i < 256; i += 32) tile[i ^ (i >> 5 & 7) << 2] = x[i];  // the swizzle, in floats
  ptx::fence_proxy_async();
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::tma_store_2d(&map, 32, -2, tile);
    ptx::bulk_commit();
    ptx::bulk_wait<0>();
  }
#endif
}
void tma_store_case() {
  Numbers numbers;
  const std::vector<float> x = numbers.array<float>(256);
  const Buffer<float> in(x), out(std::vector<float>(48 * 5, -9.0f));
  const auto map = ptx::make_tensor_map(out.data(), {48, 5}, {48}, {32, 8});
  launch(test_run(), {dim3(1), dim3(32), 1024}, tma_store_kernel, map, in.data());
  std::vector<double> expected(48 * 5, -9.0);
  for (int row = 2; row < 7; row++)
    for (int column = 0; column < 16; column++)
      expected[size_t((row - 2) * 48 + 32 + column)] = x[size_t(row * 32 + column)];
  compare("tma store 2d f32 b128", out.read(), expected, 0);
}

/// In, round the cluster, out: bulk_load, bulk_send and bulk_store.
__global__ void bulk_kernel(const float* x, float* y) {
#if TOPV_SM90
  TOPV_SHARED(float4, tile, [16]);
  TOPV_SHARED(float4, received, [16]);
  TOPV_SHARED(uint64_t, full, [2]);
  const uint32_t rank = ptx::cluster_rank(), next = (rank + 1) % ptx::cluster_size();
  if (threadIdx.x == 0) {
    ptx::mbar_init(full, 1);
    ptx::mbar_init(full + 1, 1);
    ptx::mbar_init_fence();
  }
  ptx::cluster_sync();
  if (threadIdx.x == 0) {
    ptx::mbar_arrive_expect(full + 1, 256);
    ptx::mbar_arrive_expect(full, 256);
    ptx::bulk_load(tile, x + rank * 64, 256, full);
    ptx::mbar_wait(full, 0);
    ptx::bulk_send(received, tile, 256, full + 1, next);
    ptx::mbar_wait(full + 1, 0);
    ptx::bulk_store(y + rank * 64, received, 256);
    ptx::bulk_commit();
    ptx::bulk_wait_read<0>();
  }
  ptx::cluster_sync();
#endif
}
void bulk_case() {
  Numbers numbers;
  const std::vector<float> x = numbers.array<float>(256);
  const Buffer<float> in(x), out(256);
  launch(test_run(), {dim3(4), dim3(32), 0, 4}, bulk_kernel, in.data(), out.data());
  std::vector<double> expected;
  for (size_t i = 0; i < 256; i++) expected.push_back(x[(i + 192) % 256]);
  compare("bulk load, send, store", out.read(), expected, 0);
}

__global__ void multicast_kernel(const __grid_constant__ ptx::TensorMap map, float* y) {
#if TOPV_SM90
  TOPV_ARENA(arena);
  float* tile = arena.take<float>(256, 1024);
  TOPV_SHARED(uint64_t, full, [1]);
  const uint32_t rank = ptx::cluster_rank();
  if (threadIdx.x == 0) {
    ptx::mbar_init(full, 1);
    ptx::mbar_init_fence();
    ptx::mbar_arrive_expect(full, 1024);
  }
  ptx::cluster_sync();
  // Each of the two brings half of the rows, to both.
  if (threadIdx.x == 0) ptx::tma_load_2d_multicast(tile + rank * 128, &map, 0, int(rank) * 4, full, 3);
  ptx::mbar_wait(full, 0);
  for (int i = threadIdx.x; i < 256; i += 32) y[rank * 256 + i] = tile[i];
  ptx::cluster_sync();
#endif
}
void multicast_case() {
  Numbers numbers;
  const std::vector<float> x = numbers.array<float>(256);
  const Buffer<float> in(x), out(512);
  const auto map = ptx::make_tensor_map(in.data(), {32, 8}, {32}, {32, 4}, ptx::Swizzle::none);
  launch(test_run(), {dim3(2), dim3(32), 1024, 2}, multicast_kernel, map, out.data());
  std::vector<double> expected;
  for (size_t i = 0; i < 512; i++) expected.push_back(x[i % 256]);
  compare("tma multicast 2d", out.read(), expected, 0);
}

// ---- clusters

/// st.async of 4, 8 and 16 bytes to the next block, remote arrivals, and its memory read through map_rank.
__global__ void cluster_kernel(float* y) {
#if TOPV_SM90
  TOPV_SHARED(float4, received, [3]);
  TOPV_SHARED(float, own, [32]);
  TOPV_SHARED(uint64_t, full, [2]);
  const uint32_t rank = ptx::cluster_rank(), size = ptx::cluster_size(), next = (rank + 1) % size;
  own[threadIdx.x] = float(rank * 32 + threadIdx.x);
  if (threadIdx.x == 0) {
    ptx::mbar_init(full, 1);
    ptx::mbar_init(full + 1, size);
    ptx::mbar_init_fence();
    ptx::mbar_arrive_expect(full, 28);
  }
  ptx::cluster_sync();
  if (threadIdx.x == 0) {
    const float r = float(rank);
    ptx::st_async_f4(&received[0].x, make_float4(r, r + 1, r + 2, r + 3), full, next);
    ptx::st_async_f2(&received[1].x, make_float2(r + 4, r + 5), full, next);
    ptx::st_async_f1(&received[2].x, r + 6, full, next);
    for (uint32_t other = 0; other < size; other++) ptx::mbar_arrive_remote(full + 1, other);
  }
  while (!ptx::mbar_try_wait(full, 0)) {
  }
  ptx::mbar_wait(full + 1, 0);
  const float* theirs = ptx::map_rank(own, next);
  float* out = y + rank * 40;
  out[threadIdx.x] = theirs[threadIdx.x];
  if (threadIdx.x < 4) out[32 + threadIdx.x] = (&received[0].x)[threadIdx.x];
  if (threadIdx.x < 2) out[36 + threadIdx.x] = (&received[1].x)[threadIdx.x];
  if (threadIdx.x == 0) out[38] = received[2].x;
  if (threadIdx.x == 0) out[39] = float(size);
  ptx::cluster_arrive();
  ptx::cluster_wait();
#endif
}
void cluster_case() {
  const int size = 8;
  const Buffer<float> out(size * 40);
  launch(test_run(), {dim3(size), dim3(32), 0, size}, cluster_kernel, out.data());
  std::vector<double> expected;
  for (int rank = 0; rank < size; rank++) {
    for (int i = 0; i < 32; i++) expected.push_back((rank + 1) % size * 32 + i);
    for (int i = 0; i < 7; i++) expected.push_back((rank + size - 1) % size + i);
    expected.push_back(size);
  }
  compare("st.async, map_rank, barriers", out.read(), expected, 0);
}

// ---- warps, blocks, the grid

/// Two halves of a block hand values to each other by named barriers, then the blocks by grid_sync.
__global__ void barrier_kernel(float* x, float* y) {
  TOPV_SHARED(float, tile, [64]);
  const int half = threadIdx.x / 64, i = threadIdx.x % 64;
  if (half == 0) {
    tile[i] = float(blockIdx.x * 64 + i);
    ptx::bar_arrive(1, 128);
  } else {
    ptx::bar_sync(1, 128);
    x[blockIdx.x * 64 + i] = tile[63 - i];
    ptx::bar_sync(2, 64);
  }
  ptx::grid_sync();
  const unsigned other = gridDim.x - 1 - blockIdx.x;
  if (half == 0) y[blockIdx.x * 64 + i] = x[other * 64 + i];
}
void barrier_case() {
  const Buffer<float> x(256), y(256);
  launch(test_run(), {dim3(4), dim3(128), 0, 1, true}, barrier_kernel, x.data(), y.data());
  std::vector<double> expected;
  for (int block = 0; block < 4; block++)
    for (int i = 0; i < 64; i++) expected.push_back((3 - block) * 64 + 63 - i);
  compare("bar.sync, bar.arrive, grid", y.read(), expected, 0);
}

/// The blocks add themselves up in the order of their tickets.
__global__ void memory_kernel(uint32_t* state, uint64_t* wide, float* y) {
  if (threadIdx.x != 0) return;
  const uint32_t ticket = ptx::atomic_add_acq_rel(state, 1);
  while (ptx::ld_acquire(state + 1) < ticket) ptx::poll();
  y[ticket] = float(ticket == 0 ? 0 : y[ticket - 1] + ticket);
  ptx::red_release_add(state + 1, 1);
  if (ticket == gridDim.x - 1) {
    ptx::st_release(wide, uint64_t{1} << 40 | ticket);
    ptx::st_release(state + 2, uint32_t(ptx::ld_acquire(wide) >> 32));
  }
}
void memory_case() {
  const Buffer<uint32_t> state(std::vector<uint32_t>(3));
  const Buffer<uint64_t> wide(std::vector<uint64_t>(1));
  const Buffer<float> y(32);
  launch(test_run(), {dim3(32), dim3(32)}, memory_kernel, state.data(), wide.data(), y.data());
  std::vector<double> expected;
  for (int i = 0; i < 32; i++) expected.push_back(i * (i + 1) / 2);
  std::vector<float> actual = y.read();
  for (const uint32_t word : state.read()) actual.push_back(float(word));
  for (const double word : {32.0, 32.0, 256.0}) expected.push_back(word);
  compare("acquire, release, red, atom", actual, expected, 0);
}

__global__ void arithmetic_kernel(const float* x, float* y, int count) {
  for (int i = threadIdx.x; i < count; i += 32) {
    y[i] = ptx::ex2(x[i]);
    y[count + i] = ptx::lg2(ptx::ex2(x[i]));
    y[2 * count + i] = ptx::round_tf32(x[i] * 1.0001f);
    const uint32_t bits = ptx::pack<__nv_bfloat16>(x[i] * 1.01f, 0),
                   half = ptx::pack<__half>(0, x[i] * 1.001f);
    y[3 * count + i] = __uint_as_float(bits << 16);
    y[4 * count + i] = float(half >> 16);
  }
}
void arithmetic_case() {
  Numbers numbers;
  const std::vector<float> x = numbers.array<float>(200);
  const Buffer<float> in(x), out(1000);
  launch(test_run(), {dim3(1), dim3(32)}, arithmetic_kernel, in.data(), out.data(), 200);
  const std::vector<float> all = out.read();
  std::vector<double> powers, logarithms, rounded;
  for (const float v : x) powers.push_back(std::exp2(double(v)));
  for (const float v : x) logarithms.push_back(v);
  for (const float v : x) {
    uint32_t bits;
    const float scaled = v * 1.0001f;
    std::memcpy(&bits, &scaled, 4);
    bits = (bits + 0x1000) & 0xffffe000u;
    float nearest;
    std::memcpy(&nearest, &bits, 4);
    rounded.push_back(nearest);
  }
  for (const float v : x) rounded.push_back(value(__float2bfloat16_rn(v * 1.01f)));
  for (const float v : x) {
    const __half half = __float2half_rn(v * 1.001f);
    uint16_t bits;
    std::memcpy(&bits, &half, 2);
    rounded.push_back(bits);
  }
  // 2 ulp of results below 2, and what that is in the logarithm of the smallest, 1/2.
  compare("ex2", {all.begin(), all.begin() + 200}, powers, 2 * std::ldexp(1.0, -23));
  compare("lg2", {all.begin() + 200, all.begin() + 400}, logarithms, std::ldexp(1.0, -20));
  compare("round_tf32, pack", {all.begin() + 400, all.end()}, rounded, 0);
}

void all() {
  for (const bool rounds : {false, true}) {
    mma_case<MmaForm::bf16, __nv_bfloat16>(rounds);
    mma_case<MmaForm::f16, __half>(rounds);
    mma_case<MmaForm::tf32, float>(rounds);
  }
  ldmatrix_case<4, false>();
  ldmatrix_case<4, true>();
  ldmatrix_case<2, false>();
  ldmatrix_case<2, true>();
  cp_async_case<16>();
  cp_async_case<8>();
  cp_async_case<4>();
  barrier_case();
  memory_case();
  arithmetic_case();
  if (!test_hopper()) {
    std::puts("skipped: clusters, TMA, wgmma (not a Hopper)");
    return;
  }
  cluster_case();
  bulk_case();
  multicast_case();
  tma_store_case();
  for (const ptx::Swizzle swizzle : {ptx::Swizzle::none, ptx::Swizzle::b128}) {
    tma_load_case<2, float>(swizzle);
    tma_load_case<2, __nv_bfloat16>(swizzle);
    tma_load_case<3, __half>(swizzle);
    tma_load_case<4, __nv_bfloat16>(swizzle);
  }
  wgmma_case<64, __nv_bfloat16, ptx::Major::mn, false>(true);
  wgmma_case<64, __half, ptx::Major::mn, true>(true);
  wgmma_cases<8, __nv_bfloat16>();
  wgmma_cases<64, __nv_bfloat16>();
  wgmma_cases<80, __nv_bfloat16>();
  wgmma_cases<96, __nv_bfloat16>();
  wgmma_cases<128, __nv_bfloat16>();
  wgmma_cases<128, __half>();
  wgmma_cases<192, __nv_bfloat16>();
  wgmma_cases<256, __nv_bfloat16>();
  wgmma_cases<256, __half>();
}

}  // namespace
}  // namespace topv::cuda

int main() {
  try {
    topv::cuda::all();
  } catch (const std::exception& error) {
    std::printf("FAILED %s\n", error.what());
    return 1;
  }
  std::printf("%d failures\n", topv::cuda::failures);
  return topv::cuda::failures == 0 ? 0 : 1;
}
