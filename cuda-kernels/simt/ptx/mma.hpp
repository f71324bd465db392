// Products are exact; sums are in float, one term after the other.
#pragma once

namespace topv::ptx {

struct MmaOperands {
  uint32_t a[4], b[2];
  float c[4];
};

inline float low_bf16(uint32_t pair) { return __uint_as_float(pair << 16); }
inline float high_bf16(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }
inline float low_f16(uint32_t pair) { return simt::half_bits_to_float(uint16_t(pair)); }
inline float high_f16(uint32_t pair) { return simt::half_bits_to_float(uint16_t(pair >> 16)); }

/// One warp's product from the operands of its lanes; kDepth 16-bit elements in pairs, or 8 floats.
template <int kDepth, float (*low)(uint32_t), float (*high)(uint32_t)>
SIMT_FAST void mma_of_lanes(simt::Coll& warp, unsigned parity) {
  float a[16][16], b[16][8], d[16][8];
  for (int lane = 0; lane < 32; lane++) {
    MmaOperands in;
    __builtin_memcpy(&in, warp.in[parity][lane], sizeof in);
    const int g = lane / 4, t = lane % 4;
    for (int r = 0; r < 4; r++) {
      if (kDepth == 16) {
        a[g + r % 2 * 8][2 * t + r / 2 * 8] = low(in.a[r]);
        a[g + r % 2 * 8][2 * t + r / 2 * 8 + 1] = high(in.a[r]);
      } else {
        a[g + r % 2 * 8][t + r / 2 * 4] = low(in.a[r]);
      }
    }
    for (int r = 0; r < 2; r++) {
      if (kDepth == 16) {
        b[2 * t + r * 8][g] = low(in.b[r]);
        b[2 * t + r * 8 + 1][g] = high(in.b[r]);
      } else {
        b[t + r * 4][g] = low(in.b[r]);
      }
    }
    for (int i = 0; i < 4; i++) d[g + i / 2 * 8][2 * t + i % 2] = in.c[i];
  }
  for (int m = 0; m < 16; m++)
    for (int k = 0; k < kDepth; k++)
      for (int n = 0; n < 8; n++) d[m][n] += a[m][k] * b[k][n];
  for (int lane = 0; lane < 32; lane++) {
    float out[4];
    for (int i = 0; i < 4; i++) out[i] = d[lane / 4 + i / 2 * 8][2 * (lane % 4) + i % 2];
    __builtin_memcpy(warp.out[parity][lane], out, 16);
  }
}
template <int kDepth, float (*low)(uint32_t), float (*high)(uint32_t)>
void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], int op, const char* name,
         const char* file, int line) {
  MmaOperands in;
  memcpy(in.a, a, sizeof in.a);
  memcpy(in.b, b, sizeof in.b);
  memcpy(in.c, d, sizeof in.c);
  simt::Quiet quiet;
  unsigned parity, lane = simt::cur->lane;
  auto& warp =
      simt::collective(~0u, op, &in, sizeof in, parity, mma_of_lanes<kDepth, low, high>, name, file, line);
  memcpy(d, warp.out[parity][lane], sizeof d);
}
inline void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SIMT_SITE) {
  mma<16, low_bf16, high_bf16>(d, a, b, 100, "mma.m16n8k16.bf16", file, line);
}
inline void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SIMT_SITE) {
  mma<16, low_f16, high_f16>(d, a, b, 101, "mma.m16n8k16.f16", file, line);
}
template <typename T>
void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SIMT_SITE) {
  if constexpr (std::is_same_v<T, __half>)
    mma_m16n8k16_f16(d, a, b, file, line);
  else
    mma_m16n8k16_bf16(d, a, b, file, line);
}
inline float truncate_tf32(uint32_t bits) { return __uint_as_float(bits & 0xffffe000u); }
inline void mma_m16n8k8_tf32(float (&d)[4], const float (&a)[4], const float (&b)[2], SIMT_SITE) {
  uint32_t a_bits[4], b_bits[2];
  memcpy(a_bits, a, sizeof a_bits);
  memcpy(b_bits, b, sizeof b_bits);
  mma<8, truncate_tf32, truncate_tf32>(d, a_bits, b_bits, 102, "mma.m16n8k8.tf32", file, line);
}
inline float round_tf32(float x) {
  const uint32_t bits = __float_as_uint(x);
  return (bits & 0x7fffffff) >= 0x7f800000 ? x : truncate_tf32(bits + 0x1000);
}

/// Each lane reads the row that it names, so that a race is blamed on it.
template <int kTiles, bool Trans>
void ldmatrix(uint32_t (&r)[kTiles], const void* row, const char* file, int line) {
  simt::u64a mine[2] = {0, 0};
  if (int(simt::lane_()) < 8 * kTiles) {
    if (uintptr_t(row) % 16 != 0) simt::fail(file, line, "ldmatrix: row address not 16-byte aligned");
    simt::load16(mine, row);
  }
  simt::Quiet quiet;
  unsigned parity, lane = simt::cur->lane;
  auto& warp = simt::collective(
      ~0u, 110 + 2 * kTiles + Trans, mine, 16, parity,
      [](simt::Coll& all, unsigned p) {
        for (int l = 0; l < 32; l++)
          for (int tile = 0; tile < kTiles; tile++)
            for (int half = 0; half < 2; half++)
              memcpy(all.out[p][l] + 4 * tile + 2 * half,
                     Trans ? all.in[p][8 * tile + 2 * (l % 4) + half] + 2 * (l / 4)
                           : all.in[p][8 * tile + l / 4] + 4 * (l % 4) + 2 * half,
                     2);
      },
      "ldmatrix", file, line);
  memcpy(r, warp.out[parity][lane], sizeof r);
}
template <bool Trans>
void ldmatrix_x4(uint32_t (&r)[4], const void* row, SIMT_SITE) {
  ldmatrix<4, Trans>(r, row, file, line);
}
template <bool Trans>
void ldmatrix_x2(uint32_t (&r)[2], const void* row, SIMT_SITE) {
  ldmatrix<2, Trans>(r, row, file, line);
}

}  // namespace topv::ptx
