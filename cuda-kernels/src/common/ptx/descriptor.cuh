// How wgmma is told where an operand lies in shared memory: a descriptor of 64 bits.
//
//   bits 0..13   where it begins          bits 32..45  stride offset
//   bits 16..29  leading offset           bits 62..63  swizzle: 1 is that of 128 bytes
//
// all in units of 16 bytes. Of tiles with 128-byte swizzle (rows of 128 bytes, eight rows an atom of 1024) the stride offset
// leads from eight rows to the next eight: rows m or n of a K-major tile, rows k of an MN-major one. The leading offset leads
// from slab to slab of 64 columns n of an MN-major tile; a K-major one has none, the field is 1. Both sides use this file:
// the emulation reads operands by these bits.
#pragma once

namespace topv::ptx {

constexpr uint32_t kAtomBytes = 1024;

/// Of a tile that begins at this shared memory address, a multiple of 1024.
__host__ __device__ constexpr uint64_t descriptor(uint32_t address, uint32_t leading_bytes) {
  return uint64_t{(address & 0x3FFFF) >> 4} | uint64_t{leading_bytes >> 4} << 16 |
         uint64_t{kAtomBytes >> 4} << 32 | uint64_t{1} << 62;
}
__host__ __device__ constexpr uint64_t descriptor_k(uint32_t address) { return descriptor(address, 16); }
__host__ __device__ constexpr uint64_t descriptor_mn(uint32_t address, uint32_t slab_bytes) {
  return descriptor(address, slab_bytes);
}
/// The next columns of a K-major tile, or rows of an MN-major one.
__host__ __device__ constexpr uint64_t advanced(uint64_t descriptor, int bytes) {
  return descriptor + static_cast<uint64_t>(bytes >> 4);
}

}  // namespace topv::ptx
