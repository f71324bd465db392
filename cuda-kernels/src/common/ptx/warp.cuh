// Arithmetic, barriers and scheduling hints of warps and blocks.
#pragma once

namespace topv::ptx {

/// 2^x and log2(x), 2 ulp; denormals are zero.
__device__ __forceinline__ float ex2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float lg2(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// Barrier `id` (1..15; 0 is __syncthreads) of `threads` threads, a multiple of 32: bar_sync waits, bar_arrive does not.
__device__ __forceinline__ void bar_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
__device__ __forceinline__ void bar_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

/// All blocks of a cooperative launch.
__device__ __forceinline__ void grid_sync() { cooperative_groups::this_grid().sync(); }

/// In the body of every loop that polls memory: lets the emulation run the thread that is waited for.
__device__ __forceinline__ void poll() {}

#if TOPV_SM90
/// Programmatic dependent launch: waits until the kernels before this one are finished and their writes visible; allows
/// the next one to start.
__device__ __forceinline__ void griddepcontrol_wait() { asm volatile("griddepcontrol.wait;" ::: "memory"); }
__device__ __forceinline__ void griddepcontrol_launch() {
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}
#endif

#if TOPV_SM90A
/// Registers per thread of the calling warpgroup from here on: multiples of 8 in 24..256. All of
/// the warpgroup, once; inc waits until dec has left that many of what the block was launched with.
template <int kRegisters>
__device__ __forceinline__ void setmaxnreg_inc() {
  static_assert(kRegisters % 8 == 0 && kRegisters >= 24 && kRegisters <= 256);
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void setmaxnreg_dec() {
  static_assert(kRegisters % 8 == 0 && kRegisters >= 24 && kRegisters <= 256);
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
#endif

}  // namespace topv::ptx
