#pragma once

#include "common/ptx/descriptor.cuh"
#include "simt/thread.hpp"

namespace topv::ptx {

enum class Major { k, mn };

using Descriptor = simt::Descriptor;

inline uint32_t shared_address(const void* p) { return uint32_t(uintptr_t(p)); }  // its low 18 bits matter
inline Descriptor wg_desc(const void* tile, SIMT_SITE) {
  return simt::descriptor(descriptor_k(shared_address(tile)), tile, {file, line});
}
inline Descriptor wg_desc_mn(const void* tile, uint32_t slab_bytes, SIMT_SITE) {
  return simt::descriptor(descriptor_mn(shared_address(tile), slab_bytes), tile, {file, line});
}
inline Descriptor wg_advance(const Descriptor& desc, int bytes) {
  return {advanced(desc.bits, bytes), desc.tile};
}

inline void wgmma_fence(SIMT_SITE) {
  simt::Quiet quiet;
  simt::warpgroup({file, line}).fence();
}
template <int M, int N>
void wgmma_fence(float (&)[M], uint32_t (&)[N], SIMT_SITE) {
  wgmma_fence(file, line);
}
inline void wgmma_commit(SIMT_SITE) {
  simt::Quiet quiet;
  simt::warpgroup({file, line}).commit({file, line});
}
template <int N>
void wgmma_wait(SIMT_SITE) {
  simt::Quiet quiet;
  simt::warpgroup({file, line}).wait(N, {file, line});
}
template <int N, int M>
void wgmma_wait(float (&)[M], SIMT_SITE) {
  wgmma_wait<N>(file, line);
}

template <int N, typename T, Major kMajorB>
void wgmma(float (&d)[N / 2], const Descriptor& a, const uint32_t* registers, const Descriptor& b, int scale,
           simt::Site site) {
  static_assert(N % 8 == 0 && N >= 8 && N <= 256);
  static_assert(std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>);
  simt::Quiet quiet;
  simt::warpgroup(site).issue(
      {N, std::is_same_v<T, __half>, kMajorB == Major::mn, scale != 0, registers != nullptr, a, b}, d,
      registers, site);
}
template <int N, typename T, Major kMajorB = Major::k>
void wgmma(float (&d)[N / 2], const Descriptor& a, const Descriptor& b, int scale = 1, SIMT_SITE) {
  wgmma<N, T, kMajorB>(d, a, nullptr, b, scale, simt::Site{file, line});
}
template <int N, typename T, Major kMajorB = Major::k>
void wgmma(float (&d)[N / 2], const uint32_t (&a)[4], const Descriptor& b, int scale = 1, SIMT_SITE) {
  wgmma<N, T, kMajorB>(d, Descriptor{}, a, b, scale, simt::Site{file, line});
}

}  // namespace topv::ptx
