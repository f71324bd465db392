// Clusters: messages, barriers, the memory of other blocks.
#include "conformance.hpp"

namespace topv::cuda::conformance {
namespace {

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

}  // namespace

void clusters() { cluster_case(); }

}  // namespace topv::cuda::conformance
