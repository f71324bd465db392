// wgmma: operands in shared memory and in registers, K-major and MN-major.
#include "tensor_cores.hpp"

namespace topv::cuda::conformance {
namespace {

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

}  // namespace

void wgmma() {
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

}  // namespace topv::cuda::conformance
