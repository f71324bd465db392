#include "simt/mma.hpp"

#include <cstring>

#include "simt/collective.hpp"
#include "simt/cuda_runtime.hpp"
#include "simt/tensor_core.hpp"
#include "simt/thread.hpp"

namespace simt {
namespace {

struct Operands {
  uint32_t a[4], b[2];
  float d[4];
};

/// The element in the lower (0) or upper (1) half of a register; tf32 has one.
template <MmaType kType>
float element(uint32_t bits, int half) {
  if (kType == MmaType::tf32) return __uint_as_float(bits & 0xffffe000u);
  if (kType == MmaType::f16) return half_bits_to_float(uint16_t(bits >> 16 * half));
  return __uint_as_float(half == 1 ? bits & 0xffff0000u : bits << 16);
}

template <MmaType kType>
SIMT_FAST void multiply_warp(Collective& warp, unsigned turn) {
  constexpr int kPacked = kType == MmaType::tf32 ? 1 : 2, kDepth = 8 * kPacked;
  float a[16][16], b[16][8], d[16][8];  // a [k, m]
  for (int lane = 0; lane < 32; lane++) {
    Operands in;
    __builtin_memcpy(&in, warp.operand[turn][lane], sizeof in);
    const int g = lane / 4, t = lane % 4;
    for (int h = 0; h < kPacked; h++) {
      for (int r = 0; r < 4; r++)
        a[kPacked * t + h + r / 2 * kDepth / 2][g + r % 2 * 8] = element<kType>(in.a[r], h);
      for (int r = 0; r < 2; r++) b[kPacked * t + h + r * kDepth / 2][g] = element<kType>(in.b[r], h);
    }
    for (int i = 0; i < 4; i++) d[g + i / 2 * 8][2 * t + i % 2] = in.d[i];
  }
  const int step = ampere() ? kDepth / 2 : kDepth;
  for (int k = 0; k < kDepth; k += step)
    multiply_add(a[k], b[k], d[0], 16, 8, step, ampere() ? 24 : 25, kType == MmaType::f16 ? -14 : -126);
  for (int lane = 0; lane < 32; lane++) {
    float out[4];
    for (int i = 0; i < 4; i++) out[i] = d[lane / 4 + i / 2 * 8][2 * (lane % 4) + i % 2];
    __builtin_memcpy(warp.result[turn][lane], out, sizeof out);
  }
}

template <int kTiles, bool kTransposed>
SIMT_FAST void share_rows(Collective& warp, unsigned turn) {
  for (int lane = 0; lane < 32; lane++)
    for (int tile = 0; tile < kTiles; tile++)
      for (int half = 0; half < 2; half++) {
        const int row = kTransposed ? lane % 4 * 2 + half : lane / 4,
                  column = kTransposed ? lane / 4 : lane % 4 * 2 + half;
        __builtin_memcpy(warp.result[turn][lane] + 4 * tile + 2 * half,
                         warp.operand[turn][8 * tile + row] + 2 * column, 2);
      }
}

}  // namespace

void multiply(MmaType type, float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site) {
  Quiet quiet;
  const Operands in = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}, {d[0], d[1], d[2], d[3]}};
  const auto compute = type == MmaType::bf16  ? multiply_warp<MmaType::bf16>
                       : type == MmaType::f16 ? multiply_warp<MmaType::f16>
                                              : multiply_warp<MmaType::tf32>;
  const Meeting meeting = meet(~0u, &in, sizeof in, compute, "mma", site);
  std::memcpy(d, meeting.all.result[meeting.turn][self().lane], sizeof d);
}

void load_matrices(int tiles, bool transposed, uint32_t* registers, const void* row, Site site) {
  Word64 mine[2] = {};
  if (int(self().lane) < 8 * tiles) {
    if (uintptr_t(row) % 16 != 0)
      fail(site.file, site.line, "ldmatrix: the address of a row is not 16-byte aligned");
    copy_words(mine, row, 16);  // each lane reads the row that it names, so that a race is blamed on it
  }
  Quiet quiet;
  const auto compute = tiles == 4 ? (transposed ? share_rows<4, true> : share_rows<4, false>)
                                  : (transposed ? share_rows<2, true> : share_rows<2, false>);
  const Meeting meeting =
      meet(~0u, mine, sizeof mine, compute, transposed ? "ldmatrix.trans" : "ldmatrix", site);
  std::memcpy(registers, meeting.all.result[meeting.turn][self().lane], size_t(tiles) * 4);
}

}  // namespace simt
