// Thread-block clusters: rank, barrier, the shared memory of the other blocks (Hopper).
#pragma once

#if TOPV_SM90
namespace topv::ptx {

__device__ __forceinline__ uint32_t cluster_rank() {
  uint32_t rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
__device__ __forceinline__ uint32_t cluster_size() {
  uint32_t size;
  asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
  return size;
}
/// Barrier of all threads of the cluster: writes before arrive are seen after wait.
__device__ __forceinline__ void cluster_arrive() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_wait() {
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_sync() {
  cluster_arrive();
  cluster_wait();
}
/// p of block `rank`: valid from the first cluster barrier on (until then the block may not run yet), and until that
/// block exits.
template <typename T>
__device__ __forceinline__ T* map_rank(T* p, uint32_t rank) {
  return cooperative_groups::this_cluster().map_shared_rank(p, rank);
}

}  // namespace topv::ptx
#endif
