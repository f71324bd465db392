// simt/ptx.h - every instruction that has no CUDA C++ spelling, behind one small function: PTX on device, C++ in the emulator.
#pragma once
namespace topv::ptx {
#if !defined(TOPV_SIMT)
__device__ __forceinline__ uint32_t smem_u32(const void* p) { return uint32_t(__cvta_generic_to_shared(p)); }
#endif
__device__ __forceinline__ uint32_t pack_bf16(float lo, float hi) {
  __nv_bfloat162 v = __floats2bfloat162_rn(lo, hi);
  uint32_t r;
  memcpy(&r, &v, 4);
  return r;
}
__device__ __forceinline__ float ex2(float x) {
#if defined(TOPV_SIMT)
  return exp2f(x);
#else
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}
__device__ __forceinline__ float lg2(float x) {
#if defined(TOPV_SIMT)
  return log2f(x);
#else
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}
#if defined(TOPV_SIMT)
struct MmaIn {
  uint32_t a[4], b[2];
  float c[4];
};
SIMT_FAST void mma_all_lanes(const unsigned char (*in)[simt::kSlot],
                             unsigned char (*out)[16]) {  // products exact, sums in double, one rounding
  double A[16][16], B[16][8], D[16][8];
  MmaIn v;
  auto bf = [](uint32_t w, int hi) {
    uint32_t u = hi ? w & 0xffff0000u : w << 16;
    float f;
    __builtin_memcpy(&f, &u, 4);
    return double(f);
  };
  for (int l = 0; l < 32; l++) {
    __builtin_memcpy(&v, in[l], sizeof v);
    int g = l >> 2, t = l & 3;
    for (int r = 0; r < 4; r++)
      for (int h = 0; h < 2; h++) A[g + 8 * (r & 1)][2 * t + h + 8 * (r >> 1)] = bf(v.a[r], h);
    for (int r = 0; r < 2; r++)
      for (int h = 0; h < 2; h++) B[2 * t + h + 8 * r][g] = bf(v.b[r], h);
    for (int i = 0; i < 4; i++) D[g + 8 * (i >> 1)][2 * t + (i & 1)] = v.c[i];
  }
  for (int m = 0; m < 16; m++)
    for (int x = 0; x < 16; x++)
      for (int n = 0; n < 8; n++) D[m][n] += A[m][x] * B[x][n];
  for (int l = 0; l < 32; l++) {
    float o[4];
    for (int i = 0; i < 4; i++) o[i] = float(D[(l >> 2) + 8 * (i >> 1)][2 * (l & 3) + (i & 1)]);
    __builtin_memcpy(out[l], o, 16);
  }
}
#endif
// D(16x8,f32) += A(16x16,bf16,row) * B(16x8,bf16,col)
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4],
                                                  const uint32_t (&b)[2]
#if defined(TOPV_SIMT)
                                                  ,
                                                  SIMT_SITE) {
  MmaIn in;
  memcpy(in.a, a, 16);
  memcpy(in.b, b, 8);
  memcpy(in.c, d, 16);
  simt::Quiet q;
  unsigned par, lane = simt::cur->lane;
  auto& c = simt::collective(
      ~0u, 100, &in, sizeof in, par, [](simt::Coll& k, unsigned p) { mma_all_lanes(k.in[p], k.out[p]); },
      "mma.m16n8k16", file, line);
  memcpy(d, c.out[par][lane], 16);
}
#else
) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif
// four 8x8 b16 tiles; lane l gives the address of row l%8 of tile l/8. Trans: each tile is transposed on the way.
template <bool Trans>
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&r)[4], const void* row
#if defined(TOPV_SIMT)
                                            ,
                                            SIMT_SITE) {
  if (uintptr_t(row) & 15) simt::fail(file, line, "ldmatrix: row address not 16-byte aligned");
  simt::u64a mine[2];
  simt::load16(mine, row);  // each lane reads the row it names, so races are blamed on it
  simt::Quiet q;
  unsigned par, lane = simt::cur->lane;
  auto& c = simt::collective(
      ~0u, Trans ? 102 : 101, mine, 16, par,
      [](simt::Coll& k, unsigned p) {
        for (int l = 0; l < 32; l++)
          for (int m = 0; m < 4; m++)
            for (int h = 0; h < 2; h++)
              memcpy(k.out[p][l] + 4 * m + 2 * h,
                     Trans ? k.in[p][8 * m + 2 * (l % 4) + h] + 2 * (l / 4)
                           : k.in[p][8 * m + l / 4] + 4 * (l % 4) + 2 * h,
                     2);
      },
      "ldmatrix", file, line);
  memcpy(r, c.out[par][lane], 16);
}
#else
) {
  if (Trans)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(smem_u32(row))
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(smem_u32(row))
                 : "memory");
}
#endif
// cp.async: in the emulator the copy lands only at cp_async_wait; until then the destination holds NaN bits.
__device__ __forceinline__ void cp_async_16(void* dst, const void* src, bool valid = true) {
#if defined(TOPV_SIMT)
  if ((uintptr_t(dst) | uintptr_t(src)) & 15) simt::fail("cp.async", 0, "address not 16-byte aligned");
  simt::store16(dst, ~0ull, ~0ull);
  simt::Quiet q;
  simt::cur->open.push_back({dst, src, 16u, valid ? 16u : 0u});
#else
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(smem_u32(dst)), "l"(src),
               "r"(valid ? 16 : 0)
               : "memory");
#endif
}
__device__ __forceinline__ void cp_async_commit() {
#if defined(TOPV_SIMT)
  simt::Quiet q;
  simt::cur->groups.push_back(std::move(simt::cur->open));
  simt::cur->open.clear();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
template <int N>
__device__ __forceinline__ void cp_async_wait() {
#if defined(TOPV_SIMT)
  auto& g = simt::cur->groups;
  while (g.size() > size_t(N)) {
    std::vector<simt::Copy> v;
    {
      simt::Quiet q;
      v = std::move(g.front());
      g.erase(g.begin());
    }
    for (auto& c : v) {
      simt::u64a d[2] = {0, 0};
      if (c.valid) simt::load16(d, c.src);
      simt::store16(c.dst, d[0], d[1]);
    }
  }
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#endif
}
__device__ __forceinline__ void bar_sync(int id, int nthreads
#if defined(TOPV_SIMT)
                                         ,
                                         SIMT_SITE) {
  simt::Quiet q;
  simt::arrive_wait(simt::cur->w->blk->named[id], unsigned(nthreads), "bar.sync", file, line, false);
}
#else
) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(nthreads) : "memory");
}
#endif
// acquire/release at gpu scope, for flags in global memory (decoupled look-back, hand-made barriers)
__device__ __forceinline__ unsigned ld_acquire(const unsigned* p) {
#if defined(TOPV_SIMT)
  return __atomic_load_n(p, __ATOMIC_ACQUIRE);
#else
  unsigned v;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(p) : "memory");
  return v;
#endif
}
__device__ __forceinline__ void st_release(unsigned* p, unsigned v) {
#if defined(TOPV_SIMT)
  simt::progress();
  __atomic_store_n(p, v, __ATOMIC_RELEASE);
#else
  asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory");
#endif
}
// mbarrier (one word of shared memory) and asynchronous remote stores that complete on it (sm_90)
#if defined(TOPV_SIMT)
inline void mbar_init(uint64_t* b, unsigned count) {
  simt::Quiet q;
  auto* m = reinterpret_cast<simt::Mbar*>(b);
  *m = simt::Mbar{0, uint16_t(count), uint16_t(count)};
}
inline void mbar_init_fence() {}
inline void mbar_arrive_expect(uint64_t* b, unsigned bytes) {
  simt::Quiet q;
  auto* m = reinterpret_cast<simt::Mbar*>(b);
  m->tx += int(bytes);
  m->pending--;
  simt::hb_release(m);
  simt::mbar_check(m);
}
inline void mbar_wait(uint64_t* b, unsigned parity, SIMT_SITE) {
  simt::mbar_wait(reinterpret_cast<simt::Mbar*>(b), parity, file, line);
}
inline void st_async_f4(float* dst, const float4& v, uint64_t* bar, unsigned rank, SIMT_SITE) {
  float t[4] = {v.x, v.y, v.z,
                v.w};  // scalar reads: GCC's TSan does not instrument aggregates passed by value
  simt::mbar_send(reinterpret_cast<simt::Mbar*>(simt::map_rank(bar, rank, file, line)),
                  simt::map_rank(dst, rank, file, line), t, 16);
}
#elif !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
__device__ __forceinline__ void mbar_init(uint64_t* b, unsigned count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(smem_u32(b)), "r"(count) : "memory");
}
__device__ __forceinline__ void mbar_init_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void mbar_arrive_expect(uint64_t* b, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(smem_u32(b)), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void mbar_wait(uint64_t* b, unsigned parity) {
  asm volatile(
      "{\n.reg .pred p;\nW: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%0], %1;\n@p bra "
      "D;\nbra W;\nD:\n}" ::"r"(smem_u32(b)),
      "r"(parity)
      : "memory");
}
__device__ __forceinline__ void st_async_f4(float* dst, float4 v, uint64_t* bar, unsigned rank) {
  asm volatile(
      "{\n.reg .b32 d, m;\nmapa.shared::cluster.u32 d, %0, %2;\nmapa.shared::cluster.u32 m, %1, %2;\n"
      "st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [d], {%3,%4,%5,%6}, [m];\n}" ::"r"(
          smem_u32(dst)),
      "r"(smem_u32(bar)), "r"(rank), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w)
      : "memory");
}
#endif
// clusters and the grid
#if defined(TOPV_SIMT)
inline unsigned cluster_rank() { return simt::cur->w->blk->rank; }
inline unsigned cluster_size() { return unsigned(simt::cur->w->blk->clu->blocks.size()); }
inline void cluster_arrive() {
  simt::Quiet q;
  auto* c = simt::cur->w->blk->clu;
  simt::cur->token = c->bar.phase;
  simt::hb_release(&c->bar);
  simt::progress();
  if (++c->bar.arrived >= c->live) simt::release(c->bar);
}
inline void cluster_wait(SIMT_SITE) {
  simt::Quiet q;
  auto* f = simt::cur;
  auto& b = f->w->blk->clu->bar;
  if (b.phase == f->token) {
    f->next = b.head;
    b.head = f;
    simt::park("cluster_wait", file, line);
  }
  simt::hb_acquire(&b);
}
inline void cluster_sync(SIMT_SITE) {
  cluster_arrive();
  cluster_wait(file, line);
}
inline void grid_sync(SIMT_SITE) {
  simt::Quiet q;
  simt::arrive_wait(simt::rt.grid, simt::rt.live, "grid_sync", file, line);
}
template <class T>
inline T* map_rank(T* p, unsigned r, SIMT_SITE) {
  return simt::map_rank(p, r, file, line);
}
#else
__device__ __forceinline__ void grid_sync() { cooperative_groups::this_grid().sync(); }
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
__device__ __forceinline__ unsigned cluster_rank() {
  unsigned r;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(r));
  return r;
}
__device__ __forceinline__ unsigned cluster_size() {
  unsigned r;
  asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(r));
  return r;
}
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
template <class T>
__device__ __forceinline__ T* map_rank(T* p, unsigned r) {
  return cooperative_groups::this_cluster().map_shared_rank(p, r);
}
#endif
#endif
}  // namespace topv::ptx

// simt/wgmma.h - sm_90a: TMA tile loads and warpgroup MMA (A, B from 128-byte-swizzled K-major shared tiles), behind small functions
#if !defined(TOPV_SIMT)
#include <cuda.h>
#endif
namespace topv::ptx {
#if defined(TOPV_SIMT)
using TensorMap = simt::TensorMap;
inline void tma_load_2d(void* dst, const TensorMap* tm, int x, int y, uint64_t* bar) {
  if (uintptr_t(dst) & 1023) simt::fail("tma_load_2d", 0, "destination not 1024-byte aligned");
  simt::mbar_send(reinterpret_cast<simt::Mbar*>(bar), dst, nullptr, unsigned(tm->box[0] * tm->box[1] * 2), tm,
                  x, y);
}
inline void mbar_arrive(uint64_t* b) {
  simt::Quiet q;
  auto* m = reinterpret_cast<simt::Mbar*>(b);
  m->pending--;
  simt::hb_release(m);
  simt::mbar_check(m);
}
inline uint64_t wg_desc(const void* p) { return uint64_t(uintptr_t(p)); }
inline uint64_t wg_advance(uint64_t d, int bytes) { return d + unsigned(bytes); }
inline void wgmma_fence() {}
inline void wgmma_commit() {
  simt::Quiet q;
  simt::cur->wgroups.push_back(std::move(simt::cur->wopen));
  simt::cur->wopen.clear();
}
inline void wgmma_m64n96k16(float (&d)[48], uint64_t a,
                            uint64_t b) {  // accumulators read as NaN until the matching wait
  simt::Quiet q;
  auto* f = simt::cur;
  simt::WgAcc* w = nullptr;
  for (auto& x : f->wacc)
    if (x.acc == d) w = &x;
  if (!w) {
    f->wacc.push_back({d, 0, {}});
    w = &f->wacc.back();
    for (int i = 0; i < 48; i++) {
      w->saved[i] = d[i];
      d[i] = NAN;
    }
  }
  w->pending++;
  f->wopen.push_back({d, a, b, 96});
}
template <int LEFT>
inline void wgmma_wait() {  // operands are read here: reusing a tile before the wait is caught
  auto* f = simt::self();
  while (f->wgroups.size() > size_t(LEFT)) {
    std::vector<simt::WgOp> ops;
    {
      simt::Quiet q;
      ops = std::move(f->wgroups.front());
      f->wgroups.erase(f->wgroups.begin());
    }
    for (auto& o : ops) {
      simt::WgAcc* w = nullptr;
      for (auto& x : f->wacc)
        if (x.acc == o.acc) w = &x;
      const int tid = int(threadIdx.x) % 128, row = tid / 32 * 16 + tid % 32 / 4, col = tid % 4 * 2;
      auto ld = [](uint64_t base, int r, float(&v)[16]) {
        for (int h = 0; h < 2; h++) {
          simt::u64a t[2];
          simt::load16(t, simt::swz128((unsigned char*)uintptr_t(base) + r * 128 + h * 16));
          for (int i = 0; i < 8; i++)
            v[8 * h + i] = __uint_as_float(unsigned(t[i / 4] >> (i % 4 * 16) & 0xffff) << 16);
        }
      };
      float A[2][16], B[16];
      ld(o.a, row, A[0]);
      ld(o.a, row + 8, A[1]);
      for (int n = 0; n < o.n / 8; n++)
        for (int c = 0; c < 2; c++) {
          ld(o.b, n * 8 + col + c, B);
          for (int h = 0; h < 2; h++) {
            double s = w->saved[n * 4 + h * 2 + c];
            for (int k = 0; k < 16; k++) s += double(A[h][k]) * double(B[k]);
            w->saved[n * 4 + h * 2 + c] = float(s);
          }
        }
      w->pending--;
    }
  }
  // wgmma completes for the warpgroup as a whole: nobody passes before all 128 threads issued it and its operands are read
  simt::Quiet q;
  simt::arrive_wait(f->w->blk->wgroup[f->linear / 128], 128, "wgmma.wait_group", __builtin_FILE(),
                    __builtin_LINE(), false);
  for (size_t i = 0; i < f->wacc.size();)
    if (!f->wacc[i].pending) {
      memcpy(f->wacc[i].acc, f->wacc[i].saved, 48 * 4);
      f->wacc.erase(f->wacc.begin() + long(i));
    } else
      i++;
}
#else
using TensorMap = CUtensorMap;
#if !defined(__CUDA_ARCH__) || (__CUDA_ARCH__ >= 900 && defined(__CUDA_ARCH_FEAT_SM90_ALL))
__device__ __forceinline__ void tma_load_2d(void* dst, const TensorMap* tm, int x, int y, uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], "
      "[%4];" ::"r"(smem_u32(dst)),
      "l"(tm), "r"(x), "r"(y), "r"(smem_u32(bar))
      : "memory");
}
__device__ __forceinline__ void mbar_arrive(uint64_t* b) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(smem_u32(b)) : "memory");
}
__device__ __forceinline__ uint64_t
wg_desc(const void* p) {  // K-major, 128-byte swizzle, 8-row groups 1024 bytes apart
  return uint64_t((smem_u32(p) & 0x3FFFF) >> 4) | uint64_t(1) << 16 | uint64_t(1024 >> 4) << 32 |
         uint64_t(1) << 62;
}
__device__ __forceinline__ uint64_t wg_advance(uint64_t d, int bytes) { return d + uint64_t(bytes >> 4); }
__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int LEFT>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(LEFT) : "memory");
}
__device__ __forceinline__ void wgmma_m64n96k16(float (&d)[48], uint64_t a, uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%"
      "27,%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47}, %48, %49, 1, 1, "
      "1, 0, 0;"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]),
        "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
        "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]),
        "+f"(d[23]), "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]),
        "+f"(d[30]), "+f"(d[31]), "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]),
        "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]),
        "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47])
      : "l"(a), "l"(b));
}
#endif
#endif
}  // namespace topv::ptx
