// Matrix products of a warpgroup (4 warps, the first a multiple of 4) on Hopper's tensor cores, asynchronous.
//
//   wgmma_fence();                                   before the first product, and after registers in use were written
//   wgmma<128, __nv_bfloat16>(d, a, b, scale);       D(64 x 128) = A(64 x 16) B(16 x 128) + scale D, as often as needed
//   wgmma_commit();                                  ends a group
//   wgmma_wait<0>(d);                                until then neither d nor the operands may be touched
//
// D: with warp w of the warpgroup, lane l, g = l / 4, t = l % 4, d[4 j + i] is D[16 w + g + 8 (i / 2)][8 j + 2 t + i % 2].
// A: in shared memory K-major, or in registers as in mma.cuh (rows 16 w ..). B: K-major as stored [n][k], or MN-major as
// stored [k][n]. Tiles in shared memory are stored as TMA with Swizzle::b128 stores them, 1024-byte aligned:
//   K-major   slabs of 64 columns k: 128 bytes per row, all rows of a slab together. wg_desc(slab); the next 16 columns are
//             wg_advance(desc, 32).
//   MN-major  slabs of 64 columns n: 128 bytes per row k, all rows of a slab together. wg_desc_mn(first slab, bytes from
//             slab to slab); the next 16 rows k are wg_advance(desc, 2048).
#pragma once

#include "common/ptx/address.cuh"
#include "common/ptx/descriptor.cuh"

namespace topv::ptx {

/// How an operand lies in shared memory.
enum class Major { k, mn };

#if TOPV_SM90A

__device__ __forceinline__ uint64_t wg_desc(const void* tile) { return descriptor_k(smem_u32(tile)); }
__device__ __forceinline__ uint64_t wg_desc_mn(const void* tile, uint32_t slab_bytes) {
  return descriptor_mn(smem_u32(tile), slab_bytes);
}
__device__ __forceinline__ uint64_t wg_advance(uint64_t desc, int bytes) { return advanced(desc, bytes); }

__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
/// The same, for the sake of accumulators and registers of A that were written: keeps the compiler from writing them after
/// the fence.
template <int M, int N>
__device__ __forceinline__ void wgmma_fence(float (&d)[M], uint32_t (&a)[N]) {
#pragma unroll
  for (int i = 0; i < M; i++) asm volatile("" : "+f"(d[i])::"memory");
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+r"(a[i])::"memory");
  wgmma_fence();
}
__device__ __forceinline__ void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int N>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}
/// The same, for the sake of accumulators that are ready then: keeps the compiler from reading them before.
template <int N, int M>
__device__ __forceinline__ void wgmma_wait(float (&d)[M]) {
  wgmma_wait<N>();
#pragma unroll
  for (int i = 0; i < M; i++) asm volatile("" : "+f"(d[i])::"memory");
}

// The accumulators of N = 8 j columns: their placeholders, and the operands of the asm statement.
#define TOPV_D8 "%0, %1, %2, %3"
#define TOPV_D16 TOPV_D8 ", %4, %5, %6, %7"
#define TOPV_D24 TOPV_D16 ", %8, %9, %10, %11"
#define TOPV_D32 TOPV_D24 ", %12, %13, %14, %15"
#define TOPV_D40 TOPV_D32 ", %16, %17, %18, %19"
#define TOPV_D48 TOPV_D40 ", %20, %21, %22, %23"
#define TOPV_D56 TOPV_D48 ", %24, %25, %26, %27"
#define TOPV_D64 TOPV_D56 ", %28, %29, %30, %31"
#define TOPV_D72 TOPV_D64 ", %32, %33, %34, %35"
#define TOPV_D80 TOPV_D72 ", %36, %37, %38, %39"
#define TOPV_D88 TOPV_D80 ", %40, %41, %42, %43"
#define TOPV_D96 TOPV_D88 ", %44, %45, %46, %47"
#define TOPV_D104 TOPV_D96 ", %48, %49, %50, %51"
#define TOPV_D112 TOPV_D104 ", %52, %53, %54, %55"
#define TOPV_D120 TOPV_D112 ", %56, %57, %58, %59"
#define TOPV_D128 TOPV_D120 ", %60, %61, %62, %63"
#define TOPV_D136 TOPV_D128 ", %64, %65, %66, %67"
#define TOPV_D144 TOPV_D136 ", %68, %69, %70, %71"
#define TOPV_D152 TOPV_D144 ", %72, %73, %74, %75"
#define TOPV_D160 TOPV_D152 ", %76, %77, %78, %79"
#define TOPV_D168 TOPV_D160 ", %80, %81, %82, %83"
#define TOPV_D176 TOPV_D168 ", %84, %85, %86, %87"
#define TOPV_D184 TOPV_D176 ", %88, %89, %90, %91"
#define TOPV_D192 TOPV_D184 ", %92, %93, %94, %95"
#define TOPV_D200 TOPV_D192 ", %96, %97, %98, %99"
#define TOPV_D208 TOPV_D200 ", %100, %101, %102, %103"
#define TOPV_D216 TOPV_D208 ", %104, %105, %106, %107"
#define TOPV_D224 TOPV_D216 ", %108, %109, %110, %111"
#define TOPV_D232 TOPV_D224 ", %112, %113, %114, %115"
#define TOPV_D240 TOPV_D232 ", %116, %117, %118, %119"
#define TOPV_D248 TOPV_D240 ", %120, %121, %122, %123"
#define TOPV_D256 TOPV_D248 ", %124, %125, %126, %127"
#define TOPV_O8 "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
#define TOPV_O16 TOPV_O8, "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7])
#define TOPV_O24 TOPV_O16, "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11])
#define TOPV_O32 TOPV_O24, "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15])
#define TOPV_O40 TOPV_O32, "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19])
#define TOPV_O48 TOPV_O40, "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23])
#define TOPV_O56 TOPV_O48, "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27])
#define TOPV_O64 TOPV_O56, "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31])
#define TOPV_O72 TOPV_O64, "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35])
#define TOPV_O80 TOPV_O72, "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39])
#define TOPV_O88 TOPV_O80, "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43])
#define TOPV_O96 TOPV_O88, "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47])
#define TOPV_O104 TOPV_O96, "+f"(d[48]), "+f"(d[49]), "+f"(d[50]), "+f"(d[51])
#define TOPV_O112 TOPV_O104, "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55])
#define TOPV_O120 TOPV_O112, "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59])
#define TOPV_O128 TOPV_O120, "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63])
#define TOPV_O136 TOPV_O128, "+f"(d[64]), "+f"(d[65]), "+f"(d[66]), "+f"(d[67])
#define TOPV_O144 TOPV_O136, "+f"(d[68]), "+f"(d[69]), "+f"(d[70]), "+f"(d[71])
#define TOPV_O152 TOPV_O144, "+f"(d[72]), "+f"(d[73]), "+f"(d[74]), "+f"(d[75])
#define TOPV_O160 TOPV_O152, "+f"(d[76]), "+f"(d[77]), "+f"(d[78]), "+f"(d[79])
#define TOPV_O168 TOPV_O160, "+f"(d[80]), "+f"(d[81]), "+f"(d[82]), "+f"(d[83])
#define TOPV_O176 TOPV_O168, "+f"(d[84]), "+f"(d[85]), "+f"(d[86]), "+f"(d[87])
#define TOPV_O184 TOPV_O176, "+f"(d[88]), "+f"(d[89]), "+f"(d[90]), "+f"(d[91])
#define TOPV_O192 TOPV_O184, "+f"(d[92]), "+f"(d[93]), "+f"(d[94]), "+f"(d[95])
#define TOPV_O200 TOPV_O192, "+f"(d[96]), "+f"(d[97]), "+f"(d[98]), "+f"(d[99])
#define TOPV_O208 TOPV_O200, "+f"(d[100]), "+f"(d[101]), "+f"(d[102]), "+f"(d[103])
#define TOPV_O216 TOPV_O208, "+f"(d[104]), "+f"(d[105]), "+f"(d[106]), "+f"(d[107])
#define TOPV_O224 TOPV_O216, "+f"(d[108]), "+f"(d[109]), "+f"(d[110]), "+f"(d[111])
#define TOPV_O232 TOPV_O224, "+f"(d[112]), "+f"(d[113]), "+f"(d[114]), "+f"(d[115])
#define TOPV_O240 TOPV_O232, "+f"(d[116]), "+f"(d[117]), "+f"(d[118]), "+f"(d[119])
#define TOPV_O248 TOPV_O240, "+f"(d[120]), "+f"(d[121]), "+f"(d[122]), "+f"(d[123])
#define TOPV_O256 TOPV_O248, "+f"(d[124]), "+f"(d[125]), "+f"(d[126]), "+f"(d[127])

// All N, with the numbers of the placeholders that follow the accumulators.
#define TOPV_WGMMA_SHAPES(X)                                     \
  X(8, "%4", "%5", "%6", "%7", "%8", "%9", "%10")                \
  X(16, "%8", "%9", "%10", "%11", "%12", "%13", "%14")           \
  X(24, "%12", "%13", "%14", "%15", "%16", "%17", "%18")         \
  X(32, "%16", "%17", "%18", "%19", "%20", "%21", "%22")         \
  X(40, "%20", "%21", "%22", "%23", "%24", "%25", "%26")         \
  X(48, "%24", "%25", "%26", "%27", "%28", "%29", "%30")         \
  X(56, "%28", "%29", "%30", "%31", "%32", "%33", "%34")         \
  X(64, "%32", "%33", "%34", "%35", "%36", "%37", "%38")         \
  X(72, "%36", "%37", "%38", "%39", "%40", "%41", "%42")         \
  X(80, "%40", "%41", "%42", "%43", "%44", "%45", "%46")         \
  X(88, "%44", "%45", "%46", "%47", "%48", "%49", "%50")         \
  X(96, "%48", "%49", "%50", "%51", "%52", "%53", "%54")         \
  X(104, "%52", "%53", "%54", "%55", "%56", "%57", "%58")        \
  X(112, "%56", "%57", "%58", "%59", "%60", "%61", "%62")        \
  X(120, "%60", "%61", "%62", "%63", "%64", "%65", "%66")        \
  X(128, "%64", "%65", "%66", "%67", "%68", "%69", "%70")        \
  X(136, "%68", "%69", "%70", "%71", "%72", "%73", "%74")        \
  X(144, "%72", "%73", "%74", "%75", "%76", "%77", "%78")        \
  X(152, "%76", "%77", "%78", "%79", "%80", "%81", "%82")        \
  X(160, "%80", "%81", "%82", "%83", "%84", "%85", "%86")        \
  X(168, "%84", "%85", "%86", "%87", "%88", "%89", "%90")        \
  X(176, "%88", "%89", "%90", "%91", "%92", "%93", "%94")        \
  X(184, "%92", "%93", "%94", "%95", "%96", "%97", "%98")        \
  X(192, "%96", "%97", "%98", "%99", "%100", "%101", "%102")     \
  X(200, "%100", "%101", "%102", "%103", "%104", "%105", "%106") \
  X(208, "%104", "%105", "%106", "%107", "%108", "%109", "%110") \
  X(216, "%108", "%109", "%110", "%111", "%112", "%113", "%114") \
  X(224, "%112", "%113", "%114", "%115", "%116", "%117", "%118") \
  X(232, "%116", "%117", "%118", "%119", "%120", "%121", "%122") \
  X(240, "%120", "%121", "%122", "%123", "%124", "%125", "%126") \
  X(248, "%124", "%125", "%126", "%127", "%128", "%129", "%130") \
  X(256, "%128", "%129", "%130", "%131", "%132", "%133", "%134")

template <int N, typename T, Major kMajorB = Major::k>
__device__ __forceinline__ void wgmma(float (&d)[N / 2], uint64_t a, uint64_t b, int scale = 1) {
  constexpr bool half = std::is_same_v<T, __half>;
  static_assert(half || std::is_same_v<T, __nv_bfloat16>);
#define TOPV_WGMMA(shape, type, p0, p1, p2, p3)                                                       \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " p2                                                 \
               ", 0;\n"                                                                               \
               "wgmma.mma_async.sync.aligned.m64n" #shape "k16.f32." type "." type " {" TOPV_D##shape \
               "}, " p0 ", " p1 ", p, 1, 1, 0, " p3 ";\n}"                                            \
               : TOPV_O##shape                                                                        \
               : "l"(a), "l"(b), "r"(scale), "n"(int(kMajorB == Major::mn)));
#define TOPV_WGMMA_CASE(shape, p0, p1, p2, p3, p4, p5, p6) \
  if constexpr (N == shape && half) {                      \
    TOPV_WGMMA(shape, "f16", p0, p1, p2, p3)               \
  } else if constexpr (N == shape) {                       \
    TOPV_WGMMA(shape, "bf16", p0, p1, p2, p3)              \
  }
  TOPV_WGMMA_SHAPES(TOPV_WGMMA_CASE)
#undef TOPV_WGMMA_CASE
#undef TOPV_WGMMA
}
/// A in registers.
template <int N, typename T, Major kMajorB = Major::k>
__device__ __forceinline__ void wgmma(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b, int scale = 1) {
  constexpr bool half = std::is_same_v<T, __half>;
  static_assert(half || std::is_same_v<T, __nv_bfloat16>);
#define TOPV_WGMMA(shape, type, p0, p1, p2, p3, p4, p5, p6)                                           \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " p5                                                 \
               ", 0;\n"                                                                               \
               "wgmma.mma_async.sync.aligned.m64n" #shape "k16.f32." type "." type " {" TOPV_D##shape \
               "}, {" p0 ", " p1 ", " p2 ", " p3 "}, " p4 ", p, 1, 1, " p6 ";\n}"                     \
               : TOPV_O##shape                                                                        \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(scale),                      \
                 "n"(int(kMajorB == Major::mn)));
#define TOPV_WGMMA_CASE(shape, p0, p1, p2, p3, p4, p5, p6) \
  if constexpr (N == shape && half) {                      \
    TOPV_WGMMA(shape, "f16", p0, p1, p2, p3, p4, p5, p6)   \
  } else if constexpr (N == shape) {                       \
    TOPV_WGMMA(shape, "bf16", p0, p1, p2, p3, p4, p5, p6)  \
  }
  TOPV_WGMMA_SHAPES(TOPV_WGMMA_CASE)
#undef TOPV_WGMMA_CASE
#undef TOPV_WGMMA
}
#undef TOPV_WGMMA_SHAPES

#endif

}  // namespace topv::ptx
