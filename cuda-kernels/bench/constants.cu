// The constants of the machine that the kernels' designs assume (docs/kernels.md): clusters that fit at once, the latency of
// a store into another block's shared memory, of a cluster's and of a grid's barrier, bandwidth of L2 and of memory, and
// what a launch costs. Prints one JSON object. For Hopper (sm_90a); needs nothing of topv.
#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

void check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  std::fprintf(stderr, "constants: %s: %s\n", what, cudaGetErrorString(result));
  std::exit(1);
}

constexpr int rounds = 1000;

// ---- device code

__device__ uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}
__device__ uint32_t cluster_rank() {
  uint32_t rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
__device__ void cluster_barrier() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

__global__ void empty() {}

/// Something of the size of a Sinkhorn block: threads and shared memory come with the launch.
__global__ void occupant() { cluster_barrier(); }

/// Two blocks of a cluster throw a word back and forth: st.async into the other's shared memory, a wait on the own barrier.
__global__ void hop(long long* cycles) {
  __shared__ alignas(8) uint64_t barrier;
  __shared__ alignas(8) uint64_t word;
  const uint32_t own = shared_address(&barrier);
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(own) : "memory");
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  cluster_barrier();
  if (threadIdx.x == 0) {
    const uint32_t rank = cluster_rank();
    uint32_t peer_word, peer_barrier;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;"
                 : "=r"(peer_word)
                 : "r"(shared_address(&word)), "r"(rank ^ 1));
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(peer_barrier) : "r"(own), "r"(rank ^ 1));
    const long long start = clock64();
    for (int i = 0; i < rounds; ++i) {
      asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], 8;" ::"r"(own) : "memory");
      const auto send = [&] {
        asm volatile(
            "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u64 [%0], %1, [%2];" ::"r"(peer_word),
            "l"(static_cast<uint64_t>(i)), "r"(peer_barrier)
            : "memory");
      };
      if (rank == 0) send();
      uint32_t arrived = 0;
      while (arrived == 0) {
        asm volatile(
            "{\n.reg .pred p;\nmbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2;\n"
            "selp.u32 %0, 1, 0, p;\n}"
            : "=r"(arrived)
            : "r"(own), "r"(i & 1)
            : "memory");
      }
      if (rank == 1) send();
    }
    if (rank == 0) *cycles = clock64() - start;
  }
  cluster_barrier();  // nobody leaves while words are on their way
}

__global__ void cluster_barriers(long long* cycles) {
  const long long start = clock64();
  for (int i = 0; i < rounds; ++i) cluster_barrier();
  if (blockIdx.x == 0 && threadIdx.x == 0) *cycles = clock64() - start;
}

__global__ void grid_barriers(long long* cycles) {
  const auto grid = cooperative_groups::this_grid();
  const long long start = clock64();
  for (int i = 0; i < rounds; ++i) grid.sync();
  if (blockIdx.x == 0 && threadIdx.x == 0) *cycles = clock64() - start;
}

/// All blocks together read the buffer several times, past L1.
__global__ void read_l2(const uint4* data, int64_t count, int passes, uint32_t* sink) {
  uint32_t sum = 0;
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  for (int pass = 0; pass < passes; ++pass) {
#pragma unroll 8
    for (int64_t i = first; i < count; i += step) {
      uint4 value;
      asm volatile("ld.global.cg.v4.u32 {%0, %1, %2, %3}, [%4];"
                   : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                   : "l"(data + i));
      sum += value.x ^ value.y ^ value.z ^ value.w;
    }
  }
  if (sum == 0x12345678u) *sink = sum;  // keeps the loads
}

__global__ void clocks(long long* cycles, long long* nanos) {
  uint64_t before, after;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(before));
  const long long start = clock64();
  while (clock64() - start < 20'000'000) {
  }
  const long long stop = clock64();
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(after));
  *cycles = stop - start;
  *nanos = static_cast<long long>(after - before);
}

// ---- host code

/// What a cluster launch is described by.
struct Launch {
  cudaLaunchAttribute attribute = {};
  cudaLaunchConfig_t config = {};

  Launch(int blocks, int threads, int cluster, size_t shared_bytes) {
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = static_cast<unsigned>(cluster);
    attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
    config.gridDim = dim3(static_cast<unsigned>(blocks));
    config.blockDim = dim3(static_cast<unsigned>(threads));
    config.dynamicSmemBytes = shared_bytes;
    config.attrs = &attribute;
    config.numAttrs = 1;
  }
  Launch(const Launch&) = delete;
};

/// Milliseconds of device time that body queues, least of several.
template <typename Body>
float least_millis(const Body& body) {
  cudaEvent_t start, stop;
  check(cudaEventCreate(&start), "event");
  check(cudaEventCreate(&stop), "event");
  float least = 1e30f;
  for (int i = 0; i < 7; ++i) {
    check(cudaEventRecord(start), "record");
    body();
    check(cudaEventRecord(stop), "record");
    check(cudaEventSynchronize(stop), "synchronize");
    float millis;
    check(cudaEventElapsedTime(&millis, start, stop), "elapsed");
    least = std::min(least, millis);
  }
  return least;
}

long long* device_words() {
  static long long* words = nullptr;
  if (words == nullptr) check(cudaMalloc(&words, 64), "malloc");
  return words;
}
/// The first counter after a warm run and a second one, both made by body.
template <typename Body>
double second_run(const Body& body) {
  body();
  body();
  check(cudaDeviceSynchronize(), "synchronize");
  long long value;
  check(cudaMemcpy(&value, device_words(), sizeof value, cudaMemcpyDeviceToHost), "copy");
  return static_cast<double>(value);
}

void occupancy() {
  // 384 threads: the row and column blocks of a Sinkhorn problem; the shared memory of its small and its large form.
  for (const size_t shared_bytes : {size_t{32} << 10, size_t{200} << 10}) {
    check(cudaFuncSetAttribute(occupant, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared_bytes)),
          "shared memory");
    check(cudaFuncSetAttribute(occupant, cudaFuncAttributeNonPortableClusterSizeAllowed, 1), "cluster size");
    std::printf("\"clusters_at_once_%dk\":{", static_cast<int>(shared_bytes >> 10));
    for (const int size : {2, 4, 8, 16}) {
      Launch launch(16 * size, 384, size, shared_bytes);
      int clusters = 0;
      check(cudaOccupancyMaxActiveClusters(&clusters, occupant, &launch.config), "occupancy");
      std::printf("%s\"%d\":%d", size == 2 ? "" : ",", size, clusters);
    }
    std::printf("},");
  }
}

void latencies() {
  const double hops = second_run([] {
    Launch launch(2, 32, 2, 0);
    check(cudaLaunchKernelEx(&launch.config, hop, device_words()), "hop");
  });
  std::printf("\"hop_cycles\":%.1f,", hops / rounds / 2);
  check(cudaFuncSetAttribute(cluster_barriers, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
        "cluster size");
  std::printf("\"cluster_barrier_cycles\":{");
  for (const int size : {2, 4, 8, 16}) {
    const double cycles = second_run([size] {
      Launch launch(size, 384, size, 0);
      check(cudaLaunchKernelEx(&launch.config, cluster_barriers, device_words()), "cluster barriers");
    });
    std::printf("%s\"%d\":%.1f", size == 2 ? "" : ",", size, cycles / rounds);
  }
  std::printf("},");
}

void grid_latency(int multiprocessors) {
  const double cycles = second_run([multiprocessors] {
    long long* words = device_words();
    void* arguments[] = {&words};
    check(cudaLaunchCooperativeKernel(reinterpret_cast<void*>(grid_barriers),
                                      dim3(static_cast<unsigned>(multiprocessors)), dim3(256), arguments, 0,
                                      nullptr),
          "grid barriers");
  });
  std::printf("\"grid_barrier_cycles\":%.1f,", cycles / rounds);
}

void bandwidths(int multiprocessors) {
  const int64_t bytes = int64_t{24} << 20, passes = 20;
  uint4* data;
  check(cudaMalloc(&data, static_cast<size_t>(bytes)), "malloc");
  check(cudaMemset(data, 1, static_cast<size_t>(bytes)), "memset");
  const auto sink = reinterpret_cast<uint32_t*>(device_words());
  const float l2 = least_millis([&] {
    read_l2<<<static_cast<unsigned>(multiprocessors * 2), 1024>>>(data, bytes / 16, static_cast<int>(passes),
                                                                  sink);
  });
  check(cudaGetLastError(), "read_l2");
  std::printf("\"l2_read_gb_per_s\":%.0f,", static_cast<double>(bytes * passes) / l2 / 1e6);
  check(cudaFree(data), "free");

  const size_t large = size_t{2} << 30;
  void *from, *to;
  check(cudaMalloc(&from, large), "malloc");
  check(cudaMalloc(&to, large), "malloc");
  const float copy =
      least_millis([&] { check(cudaMemcpyAsync(to, from, large, cudaMemcpyDeviceToDevice), "copy"); });
  std::printf("\"copy_gb_per_s\":%.0f,", 2.0 * static_cast<double>(large) / copy / 1e6);
  check(cudaFree(from), "free");
  check(cudaFree(to), "free");
}

void launches() {
  const int count = 200;
  const float plain = least_millis([] {
    for (int i = 0; i < count; ++i) empty<<<1, 32>>>();
  });
  cudaStream_t stream;
  check(cudaStreamCreate(&stream), "stream");
  const auto queue_dependent =
      [stream] {  // programmatic dependent launch: starts while the one before drains
        cudaLaunchAttribute early = {};
        early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
        early.val.programmaticStreamSerializationAllowed = 1;
        cudaLaunchConfig_t config = {};
        config.gridDim = dim3(1);
        config.blockDim = dim3(32);
        config.stream = stream;
        config.attrs = &early;
        config.numAttrs = 1;
        for (int i = 0; i < count; ++i) check(cudaLaunchKernelEx(&config, empty), "launch");
      };
  const auto graph_of = [stream](const auto& queue) {
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
    queue();
    check(cudaStreamEndCapture(stream, &graph), "capture");
    check(cudaGraphInstantiate(&executable, graph, 0), "instantiate");
    return executable;
  };
  const cudaGraphExec_t serial = graph_of([stream] {
    for (int i = 0; i < count; ++i) empty<<<1, 32, 0, stream>>>();
  });
  const cudaGraphExec_t dependent = graph_of(queue_dependent);
  const float in_graph = least_millis([&] { check(cudaGraphLaunch(serial, nullptr), "graph"); });
  const float early = least_millis([&] { check(cudaGraphLaunch(dependent, nullptr), "graph"); });
  std::printf("\"launch_us\":%.2f,\"launch_in_graph_us\":%.2f,\"launch_in_graph_dependent_us\":%.2f,",
              plain / count * 1e3, in_graph / count * 1e3, early / count * 1e3);
}

}  // namespace

int main() {
  cudaDeviceProp device;
  check(cudaGetDeviceProperties(&device, 0), "device");
  if (device.major != 9) {
    std::fprintf(stderr, "constants: %s has compute capability %d.%d; these are the constants of 9.0\n",
                 device.name, device.major, device.minor);
    return 1;
  }
  std::printf("{\"device\":\"%s\",\"multiprocessors\":%d,\"l2_bytes\":%d,", device.name,
              device.multiProcessorCount, device.l2CacheSize);
  const double cycles = second_run([] { clocks<<<1, 1>>>(device_words(), device_words() + 1); });
  long long nanos;
  check(cudaMemcpy(&nanos, device_words() + 1, sizeof nanos, cudaMemcpyDeviceToHost), "copy");
  occupancy();
  latencies();
  grid_latency(device.multiProcessorCount);
  bandwidths(device.multiProcessorCount);
  launches();
  std::printf("\"sm_clock_mhz\":%.0f}\n", cycles / static_cast<double>(nanos) * 1e3);
  return 0;
}
