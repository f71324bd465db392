// The emulation itself: what threads do together, what is refused, how an error arrives. (Wrappers: conformance/. What must
// be noticed: faults.cu.)
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>

#include "common/elements.cuh"
#include "test_run.hpp"

namespace topv::cuda {
namespace {

int failures = 0;
#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      failures++;                                                              \
      std::printf("FAILED %s:%d CHECK(%s)\n", __FILE__, __LINE__, #condition); \
    }                                                                          \
  } while (0)

/// What run() is ended by, or "".
std::string error_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}
bool holds(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

/// Every thread writes what f gives for it.
template <typename T, typename F>
__global__ void each_kernel(T* out, F f) {
  out[(blockIdx.x * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x] = f();
}
template <typename T, typename F>
std::vector<T> each(unsigned threads, const F& f) {
  const Buffer<T> out(threads);
  launch(test_run(), {dim3(1), dim3(threads)}, each_kernel<T, F>, out.data(), f);
  return out.read();
}
int lane() { return int(threadIdx.x % 32); }

// ---- warps

struct Wide {
  double a;
  int64_t b;
  bool operator==(const Wide& other) const { return a == other.a && b == other.b; }
};

void warps() {
  const auto up = each<int>(64, [] { return __shfl_up_sync(~0u, lane(), 3); });
  const auto down = each<int>(64, [] { return __shfl_down_sync(~0u, lane(), 5, 16); });
  const auto across = each<int>(64, [] { return __shfl_xor_sync(~0u, lane(), 16); });
  const auto from = each<int>(64, [] { return __shfl_sync(~0u, lane(), lane() + 1, 8); });
  const auto wide = each<Wide>(32, [] { return __shfl_sync(~0u, Wide{double(lane()), lane() << 20}, 7); });
  const auto ballot = each<unsigned>(64, [] { return __ballot_sync(~0u, lane() % 3 == 0); });
  const auto any = each<int>(64, [] { return __any_sync(~0u, threadIdx.x == 40); });
  const auto all = each<int>(64, [] { return __all_sync(~0u, threadIdx.x != 40); });
  const auto sum = each<int>(64, [] { return __reduce_add_sync(~0u, lane()); });
  const auto least = each<unsigned>(64, [] { return __reduce_min_sync(~0u, 100u - unsigned(lane())); });
  const auto same = each<unsigned>(64, [] { return __match_any_sync(~0u, lane() % 4); });
  const auto halves = each<int>(64, [] {  // two collectives of half a warp each, at once
    const unsigned mask = lane() < 16 ? 0xffffu : 0xffff0000u;
    return lane() < 16 ? __reduce_max_sync(mask, lane()) : __reduce_add_sync(mask, 1);
  });
  const auto tail = each<int>(40, [] {  // the last warp has 8 lanes
    return __reduce_add_sync(threadIdx.x < 32 ? ~0u : 0xffu, 1);
  });
  for (int i = 0; i < 64; i++) {
    const int l = i % 32;
    CHECK(up[size_t(i)] == (l < 3 ? l : l - 3));
    CHECK(down[size_t(i)] == (l % 16 + 5 > 15 ? l : l + 5));
    CHECK(across[size_t(i)] == (l ^ 16));
    CHECK(from[size_t(i)] == l / 8 * 8 + (l + 1) % 8);
    CHECK(ballot[size_t(i)] == 0x49249249u);
    CHECK(any[size_t(i)] == (i >= 32));
    CHECK(all[size_t(i)] == (i < 32));
    CHECK(sum[size_t(i)] == 496);
    CHECK(least[size_t(i)] == 69);
    CHECK(same[size_t(i)] == 0x11111111u << l % 4);
    CHECK(halves[size_t(i)] == (l < 16 ? 15 : 16));
  }
  CHECK(wide == std::vector<Wide>(32, Wide{7, 7 << 20}));
  for (size_t i = 0; i < 40; i++) CHECK(tail[i] == (i < 32 ? 32 : 8));
}

// ---- blocks

void blocks() {
  const auto count = each<int>(100, [] { return __syncthreads_count(threadIdx.x % 2 == 0); });
  const auto some = each<int>(
      100, [] { return __syncthreads_or(threadIdx.x == 99) + 2 * __syncthreads_and(threadIdx.x < 99); });
  const auto ended = each<int>(100, [] {  // those who have ended are not waited for
    if (threadIdx.x % 2 == 1) return -1;
    __syncthreads();
    return __syncthreads_count(1);
  });
  const auto fresh = each<float>(64, [] {  // nobody wrote it
    TOPV_SHARED(float, tile, [64]);
    return tile[threadIdx.x];
  });
  for (size_t i = 0; i < 100; i++) {
    CHECK(count[i] == 50);
    CHECK(some[i] == 1);
    CHECK(ended[i] == (i % 2 == 1 ? -1 : 50));
  }
  for (const float value : fresh) CHECK(std::isnan(value));
}

__global__ void indices_kernel(unsigned* out) {
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] = block << 16 | thread;
}
void indices() {
  const Buffer<unsigned> out(2 * 3 * 4 * 5 * 6 * 7);
  launch(test_run(), {dim3(2, 3, 4), dim3(5, 6, 7)}, indices_kernel, out.data());
  const std::vector<unsigned> all = out.read();
  for (unsigned i = 0; i < all.size(); i++) CHECK(all[i] == (i / 210 << 16 | i % 210));
}

/// Atomics of all kinds, from all threads of several blocks.
__global__ void atomics_kernel(int* i, unsigned* u, unsigned long long* l, float* f) {
  const int id = int(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(i, 1);
  atomicMax(i + 1, id);
  atomicMin(i + 2, -id);
  atomicSub(i + 3, 2);
  atomicOr(u, 1u << id % 32);
  atomicAnd(u + 1, ~(1u << id % 16));
  atomicXor(u + 2, 1u << id % 32);
  atomicInc(u + 3, 6);
  unsigned long long before = atomicAdd(l, 0);
  for (unsigned long long found; (found = atomicCAS(l, before, before + (1ull << 33))) != before;)
    before = found;
  atomicAdd(f, 0.5f);
}
void atomics() {
  const Buffer<int> i(std::vector<int>{0, 0, 0, 0});
  const Buffer<unsigned> u(std::vector<unsigned>{0, ~0u, 0, 0});
  const Buffer<unsigned long long> l(std::vector<unsigned long long>{5});
  const Buffer<float> f(std::vector<float>{1});
  launch(test_run(), {dim3(3), dim3(32)}, atomics_kernel, i.data(), u.data(), l.data(), f.data());
  CHECK((i.read() == std::vector<int>{96, 95, -95, -192}));
  CHECK((u.read() == std::vector<unsigned>{~0u, 0xffff0000u, ~0u, 96 % 7}));
  CHECK(l.read()[0] == 5 + (96ull << 33));
  CHECK(f.read()[0] == 49);
}

// ---- types

void conversions() {
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const float half = __half2float(__ushort_as_half(uint16_t(bits)));
    _Float16 native;
    std::memcpy(&native, &bits, 2);
    CHECK(std::isnan(half) ? std::isnan(float(native)) : half == float(native));
    if (!std::isnan(half)) CHECK(__half_as_ushort(__float2half_rn(half)) == bits);
    const float wide = __bfloat162float(__ushort_as_bfloat16(uint16_t(bits)));
    if (!std::isnan(wide)) CHECK(__bfloat16_as_ushort(__float2bfloat16_rn(wide)) == bits);
  }
  uint32_t state = 1;
  for (int i = 0; i < 200000; i++) {  // rounding, over all exponents
    state = state * 1664525u + 1013904223u;
    const float x = __uint_as_float(state);
    if (std::isnan(x)) continue;
    const _Float16 native = static_cast<_Float16>(x);
    uint16_t bits;
    std::memcpy(&bits, &native, 2);
    CHECK(__half_as_ushort(__float2half_rn(x)) == bits);
  }
  CHECK(__float2int_rn(2.5f) == 2 && __float2int_rn(-3.5f) == -4 && __float2int_rn(3e9f) == 0x7fffffff);
  CHECK(__float2int_rn(NAN) == 0 && __float2uint_rn(-1.0f) == 0 && __float2int_rz(-1.9f) == -1);
  CHECK(__umulhi(0xdeadbeefu, 0xcafebabeu) == uint32_t(uint64_t{0xdeadbeefu} * 0xcafebabeu >> 32));
  CHECK(__brev(1) == 0x80000000u && __clz(0) == 32 && __clzll(1) == 63 && __popcll(~0ull) == 64 &&
        __ffs(8) == 4);
  CHECK(__byte_perm(0x33221100, 0x77665544, 0x7531) == 0x77553311);
  CHECK(__funnelshift_l(0x80000000u, 1, 1) == 3 && __funnelshift_r(0, 1, 1) == 0x80000000u);
}

// ---- what is refused

__global__ void nothing_kernel() {}
std::string refusal(const Shape& shape) {
  return error_of([&] {
    launch(test_run(), shape, nothing_kernel);
    check(cudaStreamSynchronize(nullptr), "synchronize");
  });
}
void refusals() {
  CHECK(refusal({dim3(1), dim3(1024)}).empty());
  CHECK(holds(refusal({dim3(1), dim3(1025)}), "1 to 1024 threads"));
  CHECK(holds(refusal({dim3(1), dim3(2, 2, 65)}), "at most 64 along z"));
  CHECK(holds(refusal({dim3(1, 65536), dim3(1)}), "65535"));
  CHECK(refusal({dim3(1), dim3(1), 227 * 1024}).empty());
  CHECK(holds(refusal({dim3(1), dim3(1), 227 * 1024 + 1}), "227 KB"));
  CHECK(refusal({dim3(32), dim3(1), 0, 16}).empty());
  CHECK(holds(refusal({dim3(34), dim3(1), 0, 17}), "1 to 16 blocks"));
  CHECK(holds(refusal({dim3(3), dim3(1), 0, 2}), "a multiple of the cluster"));
  CHECK(refusal({dim3(132), dim3(32), 0, 1, true}).empty());
  CHECK(holds(refusal({dim3(132 + 1), dim3(1024), 0, 1, true}), "does not fit the device at once"));

  const Buffer<float> x(1024);
  const auto map = [&](const float* base, std::initializer_list<int64_t> stride,
                       std::initializer_list<int> box, ptx::Swizzle swizzle) {
    return error_of([&] { ptx::make_tensor_map(base, {20, 4}, stride, box, swizzle); });
  };
  CHECK(map(x.data(), {20}, {32, 4}, ptx::Swizzle::b128).empty());
  CHECK(holds(map(x.data() + 1, {20}, {32, 4}, ptx::Swizzle::b128), "base"));
  CHECK(holds(map(x.data(), {21}, {32, 4}, ptx::Swizzle::b128), "a stride is a multiple of 16"));
  CHECK(holds(map(x.data(), {20}, {64, 4}, ptx::Swizzle::b128), "128 bytes"));
  CHECK(holds(map(x.data(), {20}, {32, 257}, ptx::Swizzle::none), "1 to 256"));
}

// ---- errors

__global__ void failing_kernel(float* out) {
  if (blockIdx.x == 2) ptx::mbar_arrive(reinterpret_cast<uint64_t*>(out));  // all bits set: not initialised
  out[2 + blockIdx.x] = 1;
}
/// Names the place and the thread; the next launch works again.
void errors() {
  for (int i = 0; i < 3; i++) {
    const Buffer<float> out(8);
    const std::string error = error_of([&] {
      launch(test_run(), {dim3(6), dim3(1)}, failing_kernel, out.data());
      check(cudaStreamSynchronize(nullptr), "synchronize");
    });
    CHECK(holds(error, "mbarrier: used before mbar_init() at "));
    CHECK(holds(error, "test_simt.cu:"));
    CHECK(holds(error, "by block(2,0,0) thread(0,0,0)"));
    blocks();
  }
}

/// Host threads take turns.
void host_threads() {
  std::vector<std::thread> threads;
  std::vector<int> sums(4);
  for (int t = 0; t < 4; t++)
    threads.emplace_back([&sums, t] {
      const simt::Config config = {dim3(2), dim3(64)};
      for (int i = 0; i < 10; i++) {
        int sum = 0;
        simt::launch(config, [&sum, t] { atomicAdd(&sum, __shfl_sync(~0u, t, 5)); });
        sums[size_t(t)] += sum;
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 4; t++) CHECK(sums[size_t(t)] == 10 * 128 * t);
}

int run() {
  const struct {
    const char* name;
    void (*body)();
  } tests[] = {{"warps", warps},
               {"blocks", blocks},
               {"indices", indices},
               {"atomics", atomics},
               {"conversions", conversions},
               {"refusals", refusals},
               {"errors", errors},
               {"host_threads", host_threads}};
  for (const auto& test : tests) {
    const int before = failures;
    test.body();
    std::printf("%-6s %s\n", failures == before ? "ok" : "FAILED", test.name);
  }
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace topv::cuda

int main() { return topv::cuda::run(); }
