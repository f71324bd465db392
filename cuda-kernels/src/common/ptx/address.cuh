#pragma once

namespace topv::ptx {

/// Address within shared memory of a generic pointer into it.
__device__ __forceinline__ uint32_t smem_u32(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

}  // namespace topv::ptx
