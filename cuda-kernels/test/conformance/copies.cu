// Copies of contiguous memory: cp.async of 256 floats, some of them not valid; bulk copies.
#include "conformance.hpp"

namespace topv::cuda::conformance {
namespace {

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

}  // namespace

void async_copies() {
  cp_async_case<16>();
  cp_async_case<8>();
  cp_async_case<4>();
}

void bulk_copies() { bulk_case(); }

}  // namespace topv::cuda::conformance
