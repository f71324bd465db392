// simt/emu.h - test-only SIMT emulator: runs CUDA kernel source on one host thread, one fiber per CUDA thread.
// Deterministic: fibers switch only at synchronising operations, in an order fixed by (policy, seed).
// Works under -fsanitize=address,undefined and under -fsanitize=thread (= race checker, shared AND global memory).
#pragma once
#include <sys/mman.h>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>
#if !defined(__x86_64__)
#define SIMT_UCONTEXT 1
#endif
#if defined(SIMT_UCONTEXT)
#include <ucontext.h>
#endif
#include "simt/cuda_runtime.hpp"
#include "simt/math.hpp"
#include "simt/types.hpp"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define SIMT_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define SIMT_TSAN 1
extern "C" {
void* __tsan_create_fiber(unsigned);
void __tsan_destroy_fiber(void*);
void* __tsan_get_current_fiber();
void __tsan_switch_to_fiber(void*, unsigned);
void __tsan_acquire(void*);
void __tsan_release(void*);
void AnnotateIgnoreReadsBegin(const char*, int);
void AnnotateIgnoreReadsEnd(const char*, int);
void AnnotateIgnoreWritesBegin(const char*, int);
void AnnotateIgnoreWritesEnd(const char*, int);
}
#endif
#undef __device__
#undef __host__
#undef __global__
#undef __shared__
#undef __constant__
#undef __forceinline__
#undef __launch_bounds__
#undef __align__
#undef __cluster_dims__
#undef __grid_constant__
#define __device__
#define __host__
#define __global__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __cluster_dims__(...)
#define __grid_constant__
#define SIMT_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace simt {
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Stats {
  unsigned long long threads = 0, switches = 0, collectives = 0, barriers = 0;
};
typedef uint64_t __attribute__((may_alias)) u64a;
typedef uint32_t __attribute__((may_alias)) u32a;
typedef uint16_t __attribute__((may_alias)) u16a;
struct Mbar {
  int32_t tx;
  uint16_t pending, count_phase;
};  // overlays the 8-byte barrier word: phase in the top bit
}  // namespace simt
#include "simt/tensor_map.hpp"
namespace simt {
struct Config {
  dim3 grid{1}, block{1};
  size_t smem = 0;
  unsigned cluster = 1;
  bool cooperative = false;
  unsigned resident = 1;
};
enum class Order { Forward, Reverse, Random };
struct Fiber;
struct Barrier {
  unsigned arrived = 0, phase = 0;
  Fiber* head = nullptr;
  const char* file = nullptr;
  int line = 0;
  int acc[2][3] = {};
};
enum { kSlot = 64 };
struct Coll {  // one warp-collective rendezvous, keyed by participation mask
  uint32_t mask, arrived = 0, gen = 0, part[2] = {};
  int op = 0;
  const char* file = nullptr;
  int line = 0;
  alignas(16) unsigned char in[2][32][kSlot];
  alignas(16) unsigned char out[2][32][16];
};
struct Block;
struct Warp {
  uint32_t ready = 0, exited = 0, full = 0;
  Block* blk = nullptr;
  Fiber* f[32] = {};
  std::vector<std::unique_ptr<Coll>> colls;
};
struct Alloc {
  const void* key;
  size_t idx;
  unsigned char* p;
  size_t n;
};
struct Cluster {
  Barrier bar;
  unsigned live = 0;
  std::vector<Block*> blocks;
};
}  // namespace simt
#include <algorithm>
#include <deque>
#include "simt/warpgroup.hpp"
namespace simt {
struct Block {
  uint3 bid;
  unsigned rank = 0, live = 0, nthreads = 0;
  Cluster* clu = nullptr;
  Barrier bar, named[16];
  std::unique_ptr<Warpgroup> warpgroups[8];
  std::vector<Warp> warps;
  std::vector<Alloc> smem;
  size_t dyn = 0, used = 0;
  bool finished = false;
  ~Block() {
    for (auto& a : smem) {
#ifdef SIMT_ASAN
      __asan_unpoison_memory_region(a.p, a.n);
#endif
      free(a.p);
    }
  }
};
struct Copy {
  void* dst;
  const void* src;
  unsigned n, valid;
};
struct Fiber {
  void* sp = nullptr;
  char* stack = nullptr;
  Warp* w = nullptr;
  unsigned lane = 0, linear = 0;
  uint3 tid{};
  Fiber* next = nullptr;
  const char* why = "start";
  const char* file = "";
  int line = 0;
  unsigned token = 0;
  void *fake = nullptr, *tsan = nullptr;
  std::vector<Copy> open;
  std::vector<std::vector<Copy>> groups;
  std::vector<Store> stores;
  std::vector<std::vector<Store>> store_groups;
#if defined(SIMT_UCONTEXT)
  ucontext_t uc;
#endif
};
struct Runtime {
  Order order = Order::Forward;
  uint64_t rng = 1;
  size_t stack_bytes = 96 << 10;
  Stats stats;
  Config cfg;
  void (*fn)(void*) = nullptr;
  void* ctx = nullptr;
  Fiber main;
  unsigned live = 0, poll = 0;
  Barrier grid;
  std::vector<std::unique_ptr<Block>> blocks;
  std::vector<Warp*> warps;
  size_t cur = 0;
  std::vector<Message> mail;
  std::vector<std::pair<Mbar*, Fiber*>> mwait;
  std::vector<Fiber> fibers;
  std::vector<void*> tsan;
  char* pool = nullptr;
  size_t pool_bytes = 0;
  char error[4096] = "";
  bool in_kernel = false, dirty = false;
  const void* main_bottom = nullptr;
  size_t main_size = 0;
  Runtime() {
    if (const char* s = getenv("SIMT_ORDER")) set_order(s);
  }
  void set_order(const std::string& s) {  // "fwd" | "rev" | "rand:<seed>"
    order = s == "rev" ? Order::Reverse : s.rfind("rand", 0) == 0 ? Order::Random : Order::Forward;
    if (order == Order::Random && s.size() > 5) rng = strtoull(s.c_str() + 5, nullptr, 10) * 2 + 1;
  }
  uint32_t rnd() {
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return uint32_t(rng >> 11);
  }
};
inline Runtime& rt = *new Runtime;  // never destroyed: abandoned fibers may still point into it
inline Fiber* cur = nullptr;
#define SIMT_FAST __attribute__((no_sanitize("thread", "address", "undefined"), noinline)) inline
#define SIMT_RAW __attribute__((no_sanitize("thread"))) inline
SIMT_RAW Fiber* self() { return cur; }
SIMT_RAW uint3 tid_() { return cur->tid; }
SIMT_RAW uint3 bid_();
SIMT_RAW unsigned lane_();

// Explicit 8-byte accesses: GCC's sanitizers see these, but not memcpy calls that it expands inline nor by-value aggregates.
inline void load16(u64a (&d)[2], const void* p) {
  d[0] = static_cast<const u64a*>(p)[0];
  d[1] = static_cast<const u64a*>(p)[1];
}
inline void store16(void* p, u64a a, u64a b) {
  static_cast<u64a*>(p)[0] = a;
  static_cast<u64a*>(p)[1] = b;
}
struct Quiet {  // runtime bookkeeping must not look like kernel memory traffic to TSan
#ifdef SIMT_TSAN
  Quiet() {
    AnnotateIgnoreReadsBegin("", 0);
    AnnotateIgnoreWritesBegin("", 0);
  }
  ~Quiet() {
    AnnotateIgnoreWritesEnd("", 0);
    AnnotateIgnoreReadsEnd("", 0);
  }
#else
  Quiet() {}
  ~Quiet() {}
#endif
};
SIMT_RAW unsigned lane_() { return cur->lane; }
SIMT_RAW uint3 bid_() { return cur->w->blk->bid; }
inline void hb_release(void* a) {
  (void)a;
#ifdef SIMT_TSAN
  __tsan_release(a);
#endif
}
inline void hb_acquire(void* a) {
  (void)a;
#ifdef SIMT_TSAN
  __tsan_acquire(a);
#endif
}
#if !defined(SIMT_UCONTEXT)
extern "C" void simt_swap_(void** save, void* load);
asm(R"(.pushsection .text.simt_swap_,"axG",@progbits,simt_swap_,comdat
.weak simt_swap_
.type simt_swap_,@function
simt_swap_: pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
movq %rsp,(%rdi); movq %rsi,%rsp
popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp; ret
.size simt_swap_,.-simt_swap_
.popsection)");
#endif
__attribute__((noinline)) SIMT_RAW void switch_to(Fiber* to, bool dying = false) {
  Fiber* from = cur;
  if (to == from) return;
  rt.stats.switches++;
  cur = to;
  (void)dying;
#ifdef SIMT_ASAN
  const void* b = to == &rt.main ? rt.main_bottom : to->stack;
  size_t n = to == &rt.main ? rt.main_size : rt.stack_bytes;
  __sanitizer_start_switch_fiber(dying ? nullptr : &from->fake, b, n);
#endif
#ifdef SIMT_TSAN
  __tsan_switch_to_fiber(to->tsan, 1);  // 1 = no implied synchronisation
#endif
#if !defined(SIMT_UCONTEXT)
  simt_swap_(&from->sp, to->sp);
#else
  swapcontext(&from->uc, &to->uc);
#endif
#ifdef SIMT_ASAN
  __sanitizer_finish_switch_fiber(from->fake, nullptr, nullptr);
#endif
}
inline int where(char* s, size_t n, Fiber* f) {
  uint3 b = f->w->blk->bid, t = f->tid;
  return snprintf(s, n, "block(%u,%u,%u) thread(%u,%u,%u)", b.x, b.y, b.z, t.x, t.y, t.z);
}
[[noreturn]] inline void abandon() {
  switch_to(&rt.main, true);
  abort();
}
[[noreturn]] inline void fail(const char* file, int line, const char* fmt,
                              ...) {  // ends the launch; launch() throws simt::Error
  {
    Quiet q;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(rt.error, sizeof rt.error, fmt, ap);
    va_end(ap);
    n += snprintf(rt.error + n, sizeof rt.error - n, " at %s:%d by ", file, line);
    where(rt.error + n, sizeof rt.error - n, cur);
  }
  abandon();
}
[[noreturn]] inline void deadlock() {
  char m[1500];
  int n = 0, shown = 0, waiting = 0;
  for (auto& f : rt.fibers)
    if (f.w && !(f.w->exited >> f.lane & 1) && ++waiting && shown++ < 4) {
      n += snprintf(m + n, sizeof m - n, "\n    ");
      n += where(m + n, sizeof m - n, &f);
      n += snprintf(m + n, sizeof m - n, " waits in %s %s:%d", f.why, f.file, f.line);
    }
  fail(cur->file, cur->line, "deadlock: no thread can run, %d wait:%s\n   last", waiting, m);
}
inline Fiber* pick() {  // next runnable fiber under the policy
  size_t n = rt.warps.size(), c = rt.order == Order::Random ? rt.rnd() % n : rt.cur;
  for (size_t i = 0; i < n; i++) {
    Warp* w = rt.warps[c];
    if (w->ready) {
      unsigned l;
      rt.cur = c;
      if (rt.order == Order::Forward)
        l = __builtin_ctz(w->ready);
      else if (rt.order == Order::Reverse)
        l = 31 - __builtin_clz(w->ready);
      else {
        uint32_t r = w->ready;
        for (unsigned k = rt.rnd() % __builtin_popcount(r); k; k--) r &= r - 1;
        l = __builtin_ctz(r);
      }
      return w->f[l];
    }
    c = rt.order == Order::Reverse ? (c ? c - 1 : n - 1) : (c + 1 < n ? c + 1 : 0);
  }
  return nullptr;
}
inline void park(const char* why, const char* file, int line) {  // caller has already queued itself somewhere
  Fiber* f = cur;
  f->why = why;
  f->file = file;
  f->line = line;
  f->w->ready &= ~(1u << f->lane);
  rt.poll = 0;
  Fiber* n = pick();
  if (!n) deadlock();
  switch_to(n);
}
inline void poll_yield(SIMT_SITE) {  // body of every spin-wait loop
  Quiet q;
  Fiber* f = cur;
  f->why = "spin";
  f->file = file;
  f->line = line;
  if (++rt.poll > 64 * rt.live + 4096) fail(file, line, "livelock: only spin-waiting threads are runnable");
  size_t n = rt.fibers.size(), i = size_t(f - rt.fibers.data()),
         step = rt.order == Order::Reverse ? n - 1 : 1;
  if (rt.order == Order::Random) i = rt.rnd() % n;
  do i = (i + step) % n;
  while (!(rt.fibers[i].w->ready >> rt.fibers[i].lane & 1));
  switch_to(&rt.fibers[i]);
}
SIMT_RAW void progress() { rt.poll = 0; }
inline void release(Barrier& b) {
  for (Fiber *f = b.head, *n; f; f = n) {
    n = f->next;
    f->w->ready |= 1u << f->lane;
  }
  b.head = nullptr;
  b.arrived = 0;
  b.phase++;
  b.file = nullptr;
  rt.stats.barriers++;
}
inline void arrive_wait(Barrier& b, unsigned expected, const char* why, const char* file, int line,
                        bool same_site = true) {
  if (b.file && same_site && (b.file != file || b.line != line) && (strcmp(b.file, file) || b.line != line))
    fail(file, line, "divergent %s: other threads wait at %s:%d", why, b.file, b.line);
  b.file = file;
  b.line = line;
  hb_release(&b);
  if (++b.arrived >= expected)
    release(b);
  else {
    cur->next = b.head;
    b.head = cur;
    park(why, file, line);
  }
  hb_acquire(&b);
}
inline void finish_coll(Warp* w, Coll& c);
inline void bulk_finish();
inline Fiber* on_exit_() {  // thread returned from the kernel; gives the next fiber to run
  Fiber* f = cur;
  Warp* w = f->w;
  Block* b = w->blk;
  if (f->linear / 128 < 8 && b->warpgroups[f->linear / 128] && !b->warpgroups[f->linear / 128]->queue.empty())
    fail("kernel end", 0, "thread exits with wgmma still in flight");
  if (!f->open.empty() || !f->groups.empty())
    fail("kernel end", 0, "thread exits with cp.async still in flight");
  w->exited |= 1u << f->lane;
  w->ready &= ~(1u << f->lane);
  rt.live--;
  b->clu->live--;
  b->live--;
  rt.poll = 0;
  hb_release(&rt);
  for (auto& c : w->colls)
    if (c->arrived && c->arrived == (c->mask & ~w->exited)) finish_coll(w, *c);
  if (b->live && b->bar.arrived >= b->live) release(b->bar);
  if (b->clu->live && b->clu->bar.arrived >= b->clu->live) release(b->clu->bar);
  if (rt.live && rt.grid.arrived >= rt.live) release(rt.grid);
  if (!b->live) {
    b->finished = true;
    for (auto& m : rt.mail)
      for (auto& a : b->smem)
        if (m.dst >= a.p && m.dst < a.p + a.n)
          fail("kernel end", 0, "block exits while st.async bytes are still on their way to it");
#ifdef SIMT_ASAN
    for (auto& a : b->smem) __asan_poison_memory_region(a.p, a.n);  // DSMEM access after exit is an error
#endif
  }
  if (!rt.live) return &rt.main;
  Fiber* n = pick();
  if (!n) deadlock();
  return n;
}
__attribute__((no_sanitize("address"))) inline void entry_() {
  hb_acquire(&rt.fn);
#ifdef SIMT_ASAN
  const void* b;
  size_t n;
  __sanitizer_finish_switch_fiber(nullptr, &b, &n);
  if (!rt.main_bottom) {
    rt.main_bottom = b;
    rt.main_size = n;
  }
#endif
  rt.fn(rt.ctx);
  bulk_finish();
  Fiber* nx;
  {
    Quiet q;
    nx = on_exit_();
  }
  switch_to(nx, true);
  abort();
}
// ---- warp collectives -------------------------------------------------------------------------------------------
inline Coll& coll_for(Warp* w, uint32_t mask) {
  for (auto& c : w->colls)
    if (c->mask == mask) return *c;
  w->colls.emplace_back(new Coll);
  w->colls.back()->mask = mask;
  return *w->colls.back();
}
inline void finish_coll(Warp* w, Coll& c) {
  c.part[c.gen & 1] = c.arrived;
  w->ready |= c.arrived;
  c.arrived = 0;
  c.gen++;
  rt.stats.collectives++;
}
template <class Done>
inline Coll& collective(uint32_t mask, int op, const void* in, size_t n, unsigned& par, Done done,
                        const char* why, const char* file, int line) {
  Fiber* f = cur;
  Warp* w = f->w;
  uint32_t bit = 1u << f->lane;
  if (!(mask & bit)) fail(file, line, "%s: calling lane not in mask", why);
  if (mask & ~w->full) fail(file, line, "%s: mask names lanes that do not exist", why);
  for (auto& o : w->colls)
    if (o->arrived & mask && o->mask != mask)
      fail(file, line, "%s: overlaps a pending collective with another mask at %s:%d", why, o->file, o->line);
  Coll& c = coll_for(w, mask);
  if (c.arrived && c.op != op)
    fail(file, line, "%s: warp diverged, other lanes are at %s:%d", why, c.file, c.line);
  par = c.gen & 1;
  c.op = op;
  c.file = file;
  c.line = line;
  if (n) memcpy(c.in[par][f->lane], in, n);
  c.arrived |= bit;
  if (c.arrived == (mask & ~w->exited)) {
    done(c, par);
    finish_coll(w, c);
  } else
    park(why, file, line);
  return c;
}
struct Nop {
  void operator()(Coll&, unsigned) const {}
};
template <class T>
inline T from_lane(uint32_t mask, T v, unsigned src, int op, const char* why, const char* file, int line) {
  static_assert(sizeof(T) <= kSlot, "shuffle type too large");
  Quiet q;
  unsigned par;
  Coll& c = collective(mask, op, &v, sizeof(T), par, Nop{}, why, file, line);
  if (!(c.part[par] >> src & 1)) fail(file, line, "%s: reads lane %u which does not take part", why, src);
  T r;
  memcpy(&r, c.in[par][src], sizeof(T));
  return r;
}
// ---- shared memory ----------------------------------------------------------------------------------------------
inline unsigned char* shared_get(Block* b, const void* key, size_t idx, size_t n, size_t align) {
  Quiet q;
  for (auto& a : b->smem)
    if (a.key == key && a.idx == idx) {
      if (a.n != n) fail("shared memory", 0, "threads disagree on a shared array's size");
      return a.p;
    }
  b->used += (n + 15) & ~size_t(15);
  if (b->used > 227 * 1024) fail("shared memory", 0, "more than 227 KB in use");
  unsigned char* p =
      (unsigned char*)aligned_alloc(align < 16 ? 16 : align, n % align ? n + align - n % align : n);
#ifdef SIMT_ASAN
  if (n % align) __asan_poison_memory_region(p + n, align - n % align);
#endif
  memset(p, 0xFF, n);  // uninitialised shared memory reads as NaN / -1
  b->smem.push_back({key, idx, p, n});
  return p;
}
template <class A>
inline A& shared_static(const void* key) {
  return *reinterpret_cast<A*>(
      shared_get(self()->w->blk, key, 0, sizeof(A), alignof(A) < 16 ? 16 : alignof(A)));
}
struct Carver {  // splits dynamic shared memory; under the emulator every piece gets ASan redzones
  size_t off = 0, idx = 0;
  template <class T>
  T* take(size_t n, size_t align = 16) {
    off = (off + align - 1) / align * align + n * sizeof(T);
    static const char key = 0;
    if (off > rt.cfg.smem)
      fail("shared memory", 0, "kernel carves %zu dynamic bytes, launch gave %zu", off, rt.cfg.smem);
    return reinterpret_cast<T*>(shared_get(self()->w->blk, &key, idx++, n * sizeof(T), align));
  }
};
template <class T>
inline T* map_rank(T* p, unsigned rank, SIMT_SITE) {  // mapa / cluster.map_shared_rank
  Quiet q;
  Block* b = cur->w->blk;
  if (rank >= b->clu->blocks.size()) fail(file, line, "DSMEM: rank outside cluster");
  if (rank != b->rank && b->clu->bar.phase == 0)
    fail(file, line, "DSMEM: used before the first cluster barrier, the peer may not have started");
  Block* o = b->clu->blocks[rank];
  if (o->finished) fail(file, line, "DSMEM: target block has already exited");
  for (size_t i = 0; i < b->smem.size(); i++) {
    Alloc a = b->smem[i];
    if ((unsigned char*)p >= a.p && (unsigned char*)p < a.p + a.n)
      return (T*)(shared_get(o, a.key, a.idx, a.n, 128) + ((unsigned char*)p - a.p));
  }
  fail(file, line, "DSMEM: pointer is not in this block's shared memory");
}
// ---- mbarrier, st.async: bytes land as late as allowed, i.e. when somebody waits on the barrier -----------------------
inline void mbar_check(Mbar* b) {
  if (b->pending || b->tx) return;
  b->count_phase ^= 0x8000;
  b->pending = b->count_phase & 0x7fff;
  rt.poll = 0;
  for (size_t i = 0; i < rt.mwait.size();)
    if (rt.mwait[i].first == b) {
      Fiber* f = rt.mwait[i].second;
      f->w->ready |= 1u << f->lane;
      rt.mwait[i] = rt.mwait.back();
      rt.mwait.pop_back();
    } else
      i++;
}
}  // namespace simt
#include "simt/bulk.hpp"
namespace simt {
inline void mbar_deliver(Mbar* b) {
  hb_acquire(b);
  size_t n = 0;
  for (size_t i = 0; i < rt.mail.size(); i++) {
    Message m = rt.mail[i];
    if (m.bar != b) {
      rt.mail[n++] = m;
      continue;
    }
    b->tx -= int(m.bytes);
#ifdef SIMT_TSAN
    AnnotateIgnoreWritesEnd("", 0);
    AnnotateIgnoreReadsEnd("", 0);
    land(m);
    AnnotateIgnoreReadsBegin("", 0);
    AnnotateIgnoreWritesBegin("", 0);
#else
    land(m);
#endif
  }
  rt.mail.resize(n);
  hb_release(b);
  mbar_check(b);
}
inline void mbar_wait(Mbar* b, unsigned parity, const char* file, int line) {
  Quiet q;
  mbar_deliver(b);
  while (unsigned(b->count_phase >> 15) == parity) {
    rt.mwait.push_back({b, cur});
    park("mbarrier wait", file, line);
  }
  hb_acquire(b);
}
inline bool mbar_try_wait(Mbar* b, unsigned parity, const char* file, int line) {
  {
    Quiet q;
    mbar_deliver(b);
    if (unsigned(b->count_phase >> 15) != parity) {
      hb_acquire(b);
      return true;
    }
  }
  poll_yield(file, line);
  return false;
}
inline void mbar_arrive(Mbar* b, unsigned bytes, const char* file, int line) {
  if (b->pending == 0) fail(file, line, "mbarrier: more arrivals than its count, or not initialised");
  b->tx += int(bytes);
  b->pending--;
  hb_release(b);
  mbar_check(b);
}
inline void send(const Message& m) {
  Quiet q;
  rt.mail.push_back(m);
  hb_release(m.bar);
  rt.poll = 0;
  for (auto& w : rt.mwait)
    if (w.first == m.bar) {
      mbar_deliver(m.bar);
      break;
    }
}
inline void send_values(void* dst, const void* values, size_t bytes, Mbar* bar) {
  Message m = {bar, (unsigned char*)dst, nullptr, bytes, {}, {}, {}};
  memcpy(m.values, values, bytes);
  send(m);
}
inline void send_bytes(void* dst, const void* src, size_t bytes, Mbar* bar, const char* file, int line) {
  check_bulk(dst, src, bytes, file, line);
  send({bar, (unsigned char*)dst, (const unsigned char*)src, bytes, {}, {}, {}});
}
inline void send_box(void* dst, const TensorMap& map, int rank, const Coordinates& at, Mbar* bar,
                     const char* file, int line) {
  check_box(map, rank, dst, file, line);
  send({bar, (unsigned char*)dst, nullptr, map.box_bytes(), map, at, {}});
}
// ---- launch -----------------------------------------------------------------------------------------------------
inline void run_wave(unsigned first, unsigned count) {
  Quiet quiet;
  unsigned nt = rt.cfg.block.x * rt.cfg.block.y * rt.cfg.block.z, nw = (nt + 31) / 32;
  size_t total = size_t(nt) * count;
  std::vector<Cluster> clus((count + rt.cfg.cluster - 1) / rt.cfg.cluster);
  rt.blocks.clear();
  rt.warps.clear();
  rt.mail.clear();
  rt.mwait.clear();
  rt.grid = Barrier{};
  rt.live = unsigned(total);
  rt.cur = 0;
  rt.poll = 0;
  rt.stats.threads += total;
  size_t need = total * rt.stack_bytes;
#ifdef SIMT_TSAN
  if (rt.tsan.empty() && rt.pool) {
    munmap(rt.pool, rt.pool_bytes);
    rt.pool = nullptr;
    rt.pool_bytes = 0;
  }  // forget old shadow state
#endif
  if (need > rt.pool_bytes) {
    if (rt.pool) munmap(rt.pool, rt.pool_bytes);
    rt.pool = (char*)mmap(nullptr, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                          -1, 0);
    if (rt.pool == MAP_FAILED) {
      rt.pool = nullptr;
      rt.pool_bytes = 0;
      throw Error("cannot map fiber stacks");
    }
    rt.pool_bytes = need;
    if (total < 16000)
      for (size_t i = 0; i < total; i++) mprotect(rt.pool + i * rt.stack_bytes, 4096, PROT_NONE);
  }  // guard pages
#ifdef SIMT_ASAN
  else if (rt.dirty)
    __asan_unpoison_memory_region(rt.pool, rt.pool_bytes);
  rt.dirty = false;
#endif
  rt.fibers.clear();
  rt.fibers.resize(total);
  size_t fi = 0;
  for (unsigned k = 0; k < count; k++) {
    unsigned id = first + k;
    rt.blocks.emplace_back(new Block);
    Block* b = rt.blocks.back().get();
    b->bid =
        uint3{id % rt.cfg.grid.x, id / rt.cfg.grid.x % rt.cfg.grid.y, id / rt.cfg.grid.x / rt.cfg.grid.y};
    b->clu = &clus[k / rt.cfg.cluster];
    b->rank = k % rt.cfg.cluster;
    b->clu->blocks.push_back(b);
    b->clu->live += nt;
    b->live = b->nthreads = nt;
    b->warps.resize(nw);
    for (unsigned t = 0; t < nt; t++) {
      Fiber& f = rt.fibers[fi];
      f.stack = rt.pool + fi * rt.stack_bytes;
      fi++;
      f.w = &b->warps[t / 32];
      f.lane = t % 32;
      f.linear = t;
      f.w->blk = b;
      f.w->f[f.lane] = &f;
      f.w->ready |= 1u << f.lane;
      f.w->full |= 1u << f.lane;
      f.tid =
          uint3{t % rt.cfg.block.x, t / rt.cfg.block.x % rt.cfg.block.y, t / rt.cfg.block.x / rt.cfg.block.y};
#ifdef SIMT_TSAN
      if (rt.tsan.size() < fi)
        rt.tsan.push_back(
            __tsan_create_fiber(0));  // reused by thread index: cheap, still distinct within a wave
      f.tsan = rt.tsan[fi - 1];
#endif
#if !defined(SIMT_UCONTEXT)
      void** sp = (void**)(f.stack + rt.stack_bytes) - 2;
      *sp = (void*)&entry_;
      for (int i = 0; i < 6; i++) *--sp = nullptr;
      f.sp = sp;
#else
      getcontext(&f.uc);
      f.uc.uc_stack.ss_sp = f.stack;
      f.uc.uc_stack.ss_size = rt.stack_bytes;
      f.uc.uc_link = nullptr;
      makecontext(&f.uc, entry_, 0);
#endif
    }
    for (auto& w : b->warps) rt.warps.push_back(&w);
  }
  if (rt.order == Order::Reverse) rt.cur = rt.warps.size() - 1;
#ifdef SIMT_TSAN
  rt.main.tsan = __tsan_get_current_fiber();
#endif
  hb_release(&rt.fn);
  cur = &rt.main;
  rt.in_kernel = true;
  rt.error[0] = 0;
  switch_to(pick());
  rt.in_kernel = false;
  cur = nullptr;
#ifdef SIMT_TSAN
  if (rt.error[0]) rt.tsan.clear();  // never reuse (or destroy) fibers that were abandoned mid-kernel
#endif
  rt.blocks.clear();
  rt.warps.clear();
  if (rt.error[0]) {
    rt.dirty = true;
    throw Error(rt.error);
  }
}
template <class F>
inline void launch(const Config& cfg, F&& body) {
  rt.cfg = cfg;
  rt.ctx = &body;
  rt.fn = [](void* c) { (*static_cast<std::remove_reference_t<F>*>(c))(); };
  unsigned n = cfg.grid.x * cfg.grid.y * cfg.grid.z, step = cfg.cooperative   ? n
                                                            : cfg.cluster > 1 ? cfg.cluster * cfg.resident
                                                                              : cfg.resident;
  if (n % cfg.cluster || cfg.block.x * cfg.block.y * cfg.block.z > 1024 || cfg.cluster > 16 ||
      cfg.smem > 227 * 1024)
    throw Error("invalid launch configuration");
  for (unsigned b = 0; b < n; b += step) run_wave(b, step < n - b ? step : n - b);
  hb_acquire(&rt);  // launch is synchronous: the host sees every write
}
template <class T>
inline T xchg_cas(T* p, T v, T (*f)(T, T)) {
  T o, n;
  __atomic_load(p, &o, __ATOMIC_RELAXED);
  do n = f(o, v);
  while (!__atomic_compare_exchange(p, &o, &n, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  progress();
  return o;
}
template <class F>
inline void enqueue(cudaStream_t, const Config& cfg, F&& body) {
  launch(cfg, body);
}
}  // namespace simt
#include "simt/wgmma.hpp"

#define threadIdx (simt::tid_())
#define blockIdx (simt::bid_())
#define blockDim (simt::rt.cfg.block)
#define gridDim (simt::rt.cfg.grid)
#define warpSize 32
#define TOPV_SHARED(type, name, dims)                    \
  typedef type name##_shared_t dims;                     \
  auto& name = simt::shared_static<name##_shared_t>([] { \
    static const char key = 0;                           \
    return (const void*)&key;                            \
  }())
#define TOPV_ARENA(name) simt::Carver name

inline void __syncthreads(SIMT_SITE) {
  simt::Quiet q;
  auto* b = simt::cur->w->blk;
  simt::arrive_wait(b->bar, b->live, "__syncthreads", file, line);
}
#define SIMT_SYNC_RED(name, slot, init, expr)         \
  inline int name(int p, SIMT_SITE) {                 \
    simt::Quiet q;                                    \
    auto* b = simt::cur->w->blk;                      \
    auto& B = b->bar;                                 \
    unsigned ph = B.phase & 1;                        \
    int& a = B.acc[ph][slot];                         \
    if (!B.arrived) a = init;                         \
    a = expr;                                         \
    simt::arrive_wait(B, b->live, #name, file, line); \
    return B.acc[ph][slot];                           \
  }
SIMT_SYNC_RED(__syncthreads_or, 0, 0, (a || p))
SIMT_SYNC_RED(__syncthreads_and, 1, 1, (a && p))
SIMT_SYNC_RED(__syncthreads_count, 2, 0, (a + (p != 0)))
inline void __syncwarp(unsigned mask = ~0u, SIMT_SITE) {
  simt::Quiet q;
  unsigned par;
  auto* w = simt::cur->w;
  mask &= w->full;
  auto& c = simt::coll_for(w, mask);
  simt::hb_release(&c);
  simt::collective(mask, 1, nullptr, 0, par, simt::Nop{}, "__syncwarp", file, line);
  simt::hb_acquire(&c);
}
template <class T>
inline T __shfl_sync(unsigned m, T v, int src, int w = 32, SIMT_SITE) {
  unsigned l = simt::lane_();
  return simt::from_lane(m, v, (l & ~(w - 1u)) | (unsigned(src) & (w - 1u)), 2, "__shfl_sync", file, line);
}
template <class T>
inline T __shfl_xor_sync(unsigned m, T v, int x, int w = 32, SIMT_SITE) {
  unsigned l = simt::lane_(), s = l ^ unsigned(x);
  if (s >= (l & ~(w - 1u)) + w) s = l;
  return simt::from_lane(m, v, s, 3, "__shfl_xor_sync", file, line);
}
template <class T>
inline T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32, SIMT_SITE) {
  unsigned l = simt::lane_();
  return simt::from_lane(m, v, (l & (w - 1u)) < d ? l : l - d, 4, "__shfl_up_sync", file, line);
}
template <class T>
inline T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32, SIMT_SITE) {
  unsigned l = simt::lane_();
  return simt::from_lane(m, v, (l & (w - 1u)) + d >= unsigned(w) ? l : l + d, 5, "__shfl_down_sync", file,
                         line);
}
inline unsigned __ballot_sync(unsigned m, int p, SIMT_SITE) {
  simt::Quiet q;
  unsigned par, r = 0;
  p = p != 0;
  auto& c = simt::collective(m, 6, &p, 4, par, simt::Nop{}, "__ballot_sync", file, line);
  for (unsigned i = 0; i < 32; i++)
    if (c.part[par] >> i & 1) {
      int v;
      memcpy(&v, c.in[par][i], 4);
      r |= unsigned(v) << i;
    }
  return r;
}
inline int __any_sync(unsigned m, int p, SIMT_SITE) { return __ballot_sync(m, p, file, line) != 0; }
inline int __all_sync(unsigned m, int p, SIMT_SITE) { return __ballot_sync(m, !p, file, line) == 0; }
template <class T, class F>
inline T simt_reduce(unsigned m, T x, int op, F f, SIMT_SITE) {
  simt::Quiet q;
  unsigned par;
  auto& c = simt::collective(m, op, &x, sizeof(T), par, simt::Nop{}, "__reduce_sync", file, line);
  T r{};
  bool first = true;
  for (unsigned i = 0; i < 32; i++)
    if (c.part[par] >> i & 1) {
      T v;
      memcpy(&v, c.in[par][i], sizeof v);
      r = first ? v : f(r, v);
      first = false;
    }
  return r;
}
template <class T>
inline T __reduce_add_sync(unsigned m, T v, SIMT_SITE) {
  return simt_reduce(
      m, v, 7, [](T a, T b) { return T(a + b); }, file, line);
}
template <class T>
inline T __reduce_max_sync(unsigned m, T v, SIMT_SITE) {
  return simt_reduce(
      m, v, 8, [](T a, T b) { return a > b ? a : b; }, file, line);
}
template <class T>
inline T __reduce_min_sync(unsigned m, T v, SIMT_SITE) {
  return simt_reduce(
      m, v, 9, [](T a, T b) { return a < b ? a : b; }, file, line);
}
template <class T, class U>
inline T atomicAdd(T* p, U v) {
  return simt::xchg_cas<T>(p, T(v), [](T a, T b) { return T(a + b); });
}
template <class T, class U>
inline T atomicMax(T* p, U v) {
  return simt::xchg_cas<T>(p, T(v), [](T a, T b) { return a > b ? a : b; });
}
template <class T, class U>
inline T atomicMin(T* p, U v) {
  return simt::xchg_cas<T>(p, T(v), [](T a, T b) { return a < b ? a : b; });
}
template <class T, class U>
inline T atomicOr(T* p, U v) {
  return simt::xchg_cas<T>(p, T(v), [](T a, T b) { return T(a | b); });
}
template <class T, class U>
inline T atomicExch(T* p, U v) {
  return simt::xchg_cas<T>(p, T(v), [](T, T b) { return b; });
}
template <class T>
inline T atomicCAS(T* p, T c, T v) {
  __atomic_compare_exchange(p, &c, &v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  simt::progress();
  return c;
}
inline void __threadfence() {
}  // use ld_acquire/st_release wrappers for ordering: TSan cannot model bare fences
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void __nanosleep(unsigned, SIMT_SITE) { simt::poll_yield(file, line); }
template <class T, class U>
inline T atomicSub(T* p, U v) {
  return simt::xchg_cas<T>(p, T(v), [](T a, T b) { return T(a - b); });
}
template <class T, class U>
inline T atomicAnd(T* p, U v) {
  return simt::xchg_cas<T>(p, T(v), [](T a, T b) { return T(a & b); });
}
template <class T, class U>
inline T atomicXor(T* p, U v) {
  return simt::xchg_cas<T>(p, T(v), [](T a, T b) { return T(a ^ b); });
}
inline unsigned atomicInc(unsigned* p, unsigned limit) {
  return simt::xchg_cas<unsigned>(p, limit, [](unsigned a, unsigned b) { return a >= b ? 0 : a + 1; });
}
