// The part of the CUDA runtime's host interface that topv uses, for the emulated device. Device memory is host memory.
//
// Work that is queued on a stream is done as late as CUDA allows: at a call that waits for it. So a launcher that keeps a
// pointer to its caller's memory, a copy whose source is reused too early and a result that is read too early all fail.
// Environment: SIMT_ARCH=80 makes the device an Ampere, 90 (the default) a Hopper.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "simt/types.hpp"

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeRelaxed = 2 };
enum { cudaStreamNonBlocking = 1 };
enum { cudaEventDisableTiming = 2 };
enum { cudaHostAllocPortable = 1, cudaHostAllocMapped = 2 };
constexpr int CUDART_VERSION = 13000;

struct cudaDeviceProp {
  char name[256];
  int major, minor, multiProcessorCount, l2CacheSize;
  size_t sharedMemPerBlockOptin, totalGlobalMem;
};

namespace simt {

using Work = std::function<void()>;

/// A point in a stream that has not been reached.
struct Milestone {
  bool reached = false;
  std::chrono::steady_clock::time_point time;
};

}  // namespace simt

struct CUgraph_st {
  std::vector<simt::Work> work;
};
struct CUgraphExec_st {
  std::vector<simt::Work> work;
};
struct CUstream_st {
  std::deque<simt::Work> queue;
  CUgraph_st* recording = nullptr;
};
struct CUevent_st {
  CUstream_st* stream = nullptr;  ///< where it was recorded last
  std::shared_ptr<simt::Milestone> milestone;
};
using cudaStream_t = CUstream_st*;
using cudaEvent_t = CUevent_st*;
using cudaGraph_t = CUgraph_st*;
using cudaGraphExec_t = CUgraphExec_st*;

namespace simt {

/// The emulated device: its streams, and the words of the last kernel that failed.
struct DeviceState {
  std::recursive_mutex mutex;
  CUstream_st null_stream;
  std::vector<CUstream_st*> streams = {&null_stream};
  std::string words;
};
inline DeviceState& device() {
  static DeviceState& state = *new DeviceState;  // never destroyed: contexts may be
  return state;
}
inline CUstream_st& of(cudaStream_t stream) { return stream != nullptr ? *stream : device().null_stream; }

inline void enqueue(cudaStream_t stream, Work work) {
  const std::lock_guard<std::recursive_mutex> lock(device().mutex);
  CUstream_st& on = of(stream);
  if (on.recording != nullptr) {
    on.recording->work.push_back(std::move(work));
  } else {
    on.queue.push_back(std::move(work));
  }
}

/// Does the work of a stream until done() or none is left. What throws is a kernel that failed: the rest is dropped.
template <typename Done>
cudaError_t drain(CUstream_st& stream, const Done& done) {
  const std::lock_guard<std::recursive_mutex> lock(device().mutex);
  while (!stream.queue.empty() && !done()) {
    const Work work = std::move(stream.queue.front());
    stream.queue.pop_front();
    try {
      work();
    } catch (const std::exception& error) {
      stream.queue.clear();
      device().words = error.what();
      return cudaErrorLaunchFailure;
    }
  }
  return cudaSuccess;
}
inline cudaError_t drain(CUstream_st& stream) {
  return drain(stream, [] { return false; });
}
inline cudaError_t drain_all() {
  const std::lock_guard<std::recursive_mutex> lock(device().mutex);
  cudaError_t result = cudaSuccess;
  for (CUstream_st* stream : device().streams) {
    const cudaError_t one = drain(*stream);
    if (one != cudaSuccess) result = one;
  }
  return result;
}

}  // namespace simt

inline const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorLaunchFailure:
      return simt::device().words.c_str();
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    default:
      return "invalid argument";
  }
}

// ---- devices

inline cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int ordinal) { return ordinal == 0 ? cudaSuccess : cudaErrorInvalidValue; }
inline cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
inline cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }
namespace simt {
inline bool ampere() {
  static const bool is = [] {
    const char* arch = std::getenv("SIMT_ARCH");
    return arch != nullptr && std::strcmp(arch, "80") == 0;
  }();
  return is;
}
}  // namespace simt
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  const bool ampere = simt::ampere();
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated %s", ampere ? "Ampere" : "Hopper");
  properties->major = ampere ? 8 : 9;
  properties->multiProcessorCount = ampere ? 108 : 132;
  properties->l2CacheSize = (ampere ? 40 : 60) << 20;
  properties->sharedMemPerBlockOptin = (ampere ? 163 : 227) << 10;
  properties->totalGlobalMem = size_t{64} << 30;
  return cudaSuccess;
}
inline cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = *total = size_t{64} << 30;
  return cudaSuccess;
}

// ---- memory

/// Poisoned: NaN as a float, -1 as an integer. Not a byte more than asked for, so that AddressSanitizer sees what lies beyond.
inline cudaError_t cudaMalloc(void** out, size_t bytes) {
  if (bytes >= size_t{1} << 40 || posix_memalign(out, 256, bytes) != 0) return cudaErrorMemoryAllocation;
  std::memset(*out, 0xff, bytes);
  return cudaSuccess;
}
/// Waits for the device first, as CUDA does.
inline cudaError_t cudaFree(void* memory) {
  const cudaError_t result = simt::drain_all();
  std::free(memory);
  return result;
}
inline cudaError_t cudaHostAlloc(void** out, size_t bytes, unsigned) { return cudaMalloc(out, bytes); }
inline cudaError_t cudaFreeHost(void* memory) { return cudaFree(memory); }
inline cudaError_t cudaMemcpyAsync(void* dst, const void* src, size_t bytes, cudaMemcpyKind,
                                   cudaStream_t stream) {
  simt::enqueue(stream, [=] {
    if (bytes > 0) std::memcpy(dst, src, bytes);
  });
  return cudaSuccess;
}
inline cudaError_t cudaMemsetAsync(void* dst, int value, size_t bytes, cudaStream_t stream) {
  simt::enqueue(stream, [=] {
    if (bytes > 0) std::memset(dst, value, bytes);
  });
  return cudaSuccess;
}

// ---- streams

inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned) {
  const std::lock_guard<std::recursive_mutex> lock(simt::device().mutex);
  *out = new CUstream_st;
  simt::device().streams.push_back(*out);
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  CUstream_st& on = simt::of(stream);
  return on.recording != nullptr ? cudaErrorStreamCaptureUnsupported : simt::drain(on);
}
inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard<std::recursive_mutex> lock(simt::device().mutex);
  const cudaError_t result = simt::drain(*stream);
  std::vector<CUstream_st*>& all = simt::device().streams;
  all.erase(std::find(all.begin(), all.end(), stream));
  delete stream->recording;
  delete stream;
  return result;
}

// ---- events

inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned) {
  *out = new CUevent_st;
  return cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const auto milestone = std::make_shared<simt::Milestone>();
  event->stream = &simt::of(stream);
  event->milestone = milestone;
  simt::enqueue(stream, [milestone] {
    milestone->reached = true;
    milestone->time = std::chrono::steady_clock::now();
  });
  return cudaSuccess;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->milestone == nullptr) return cudaSuccess;
  return simt::drain(*event->stream, [&] { return event->milestone->reached; });
}
inline cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const auto milestone = event->milestone;
  CUstream_st* const source = event->stream;
  if (milestone == nullptr) return cudaSuccess;
  simt::enqueue(stream, [milestone, source] {
    if (!milestone->reached) simt::drain(*source, [&] { return milestone->reached; });
  });
  return cudaSuccess;
}
inline cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (begin->milestone == nullptr || end->milestone == nullptr) return cudaErrorInvalidValue;
  *milliseconds =
      std::chrono::duration<float, std::milli>(end->milestone->time - begin->milestone->time).count();
  return cudaSuccess;
}

// ---- graphs

inline cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  simt::of(stream).recording = new CUgraph_st;
  return cudaSuccess;
}
inline cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* out) {
  *out = std::exchange(simt::of(stream).recording, nullptr);
  return cudaSuccess;
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* out, cudaGraph_t graph, unsigned long long) {
  *out = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  for (const simt::Work& work : graph->work) simt::enqueue(stream, work);
  return cudaSuccess;
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph;
  return cudaSuccess;
}
