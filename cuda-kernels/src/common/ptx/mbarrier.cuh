// mbarrier: a barrier in one 8-byte word of shared memory, which counts arrivals of threads and bytes of copies (Hopper).
//
// A phase ends when `count` arrivals have come and no announced byte is missing. Waiting is for a phase by its parity: the
// first phase has parity 0; waiting for parity 1 on a fresh barrier passes at once.
#pragma once

#include "common/ptx/address.cuh"

#if TOPV_SM90
namespace topv::ptx {

/// By one thread; others may use it after mbar_init_fence() and a barrier of the block (of the cluster, for peers).
__device__ __forceinline__ void mbar_init(uint64_t* bar, uint32_t count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(smem_u32(bar)), "r"(count) : "memory");
}
__device__ __forceinline__ void mbar_init_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

/// One arrival. Releases this thread's writes to who waits.
__device__ __forceinline__ void mbar_arrive(uint64_t* bar) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(smem_u32(bar)) : "memory");
}
/// One arrival that announces `bytes` of copies.
__device__ __forceinline__ void mbar_arrive_expect(uint64_t* bar, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(smem_u32(bar)), "r"(bytes)
               : "memory");
}
/// Announces `bytes` of copies without arriving.
__device__ __forceinline__ void mbar_expect(uint64_t* bar, uint32_t bytes) {
  asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(smem_u32(bar)), "r"(bytes)
               : "memory");
}
/// One arrival at the same barrier of block `rank` of the cluster.
__device__ __forceinline__ void mbar_arrive_remote(uint64_t* bar, uint32_t rank) {
  asm volatile(
      "{\n"
      ".reg .b32 remote;\n"
      "mapa.shared::cluster.u32 remote, %0, %1;\n"
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote];\n"
      "}" ::"r"(smem_u32(bar)),
      "r"(rank)
      : "memory");
}

/// Whether the phase of this parity has ended; may sleep for a while.
__device__ __forceinline__ bool mbar_try_wait(uint64_t* bar, uint32_t parity) {
  uint32_t done;
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2;\n"
      "selp.u32 %0, 1, 0, p;\n"
      "}"
      : "=r"(done)
      : "r"(smem_u32(bar)), "r"(parity)
      : "memory");
  return done != 0;
}
/// Waits for the end of the phase of this parity; acquires what the arrivals released and what the copies brought.
__device__ __forceinline__ void mbar_wait(uint64_t* bar, uint32_t parity) {
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "WAIT:\n"
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%0], %1;\n"
      "@p bra DONE;\n"
      "bra WAIT;\n"
      "DONE:\n"
      "}" ::"r"(smem_u32(bar)),
      "r"(parity)
      : "memory");
}

/// Stores to dst of block `rank` of the cluster, and counts the bytes on its barrier bar. dst and bar are given as this
/// block's own addresses. Aligned to the size of what is stored.
__device__ __forceinline__ void st_async_f4(float* dst, float4 v, uint64_t* bar, uint32_t rank) {
  asm volatile(
      "{\n"
      ".reg .b32 d, m;\n"
      "mapa.shared::cluster.u32 d, %0, %2;\n"
      "mapa.shared::cluster.u32 m, %1, %2;\n"
      "st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [d], {%3,%4,%5,%6}, [m];\n"
      "}" ::"r"(smem_u32(dst)),
      "r"(smem_u32(bar)), "r"(rank), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w)
      : "memory");
}
__device__ __forceinline__ void st_async_f2(float* dst, float2 v, uint64_t* bar, uint32_t rank) {
  asm volatile(
      "{\n"
      ".reg .b32 d, m;\n"
      "mapa.shared::cluster.u32 d, %0, %2;\n"
      "mapa.shared::cluster.u32 m, %1, %2;\n"
      "st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.f32 [d], {%3,%4}, [m];\n"
      "}" ::"r"(smem_u32(dst)),
      "r"(smem_u32(bar)), "r"(rank), "f"(v.x), "f"(v.y)
      : "memory");
}
__device__ __forceinline__ void st_async_f1(float* dst, float v, uint64_t* bar, uint32_t rank) {
  asm volatile(
      "{\n"
      ".reg .b32 d, m;\n"
      "mapa.shared::cluster.u32 d, %0, %2;\n"
      "mapa.shared::cluster.u32 m, %1, %2;\n"
      "st.async.shared::cluster.mbarrier::complete_tx::bytes.f32 [d], %3, [m];\n"
      "}" ::"r"(smem_u32(dst)),
      "r"(smem_u32(bar)), "r"(rank), "f"(v)
      : "memory");
}

}  // namespace topv::ptx
#endif
