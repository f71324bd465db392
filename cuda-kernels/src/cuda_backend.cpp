// The CUDA backend: memory and streams, and the dispatch of operations to their launchers.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "device.hpp"
#include "gemm.hpp"
#include "guard.hpp"
#include "kernels.h"
#include "stream.hpp"
#include "topv/backend.hpp"

namespace topv::cuda {
namespace {

/// TOPV_CUDA_BLOCKING=1: every operation waits for its result, so that a fault is reported by the call that has it.
bool blocking_wanted() {
  const char* value = std::getenv("TOPV_CUDA_BLOCKING");
  return value != nullptr && std::strcmp(value, "") != 0 && std::strcmp(value, "0") != 0;
}

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(int ordinal) : device_(open_device(ordinal)), blocking_(blocking_wanted()) {}
  ~CudaBackend() override { cudaSetDevice(device_.ordinal); }

  const char* message() const noexcept override { return message_.c_str(); }

  topv_status describe(char* buffer, int64_t capacity, int64_t* needed) noexcept override {
    return call([&] {
      const std::string text = cuda::describe(device_, products_.version(), launches_);
      if (needed != nullptr) *needed = static_cast<int64_t>(text.size()) + 1;
      if (capacity <= 0) return;
      const size_t length = std::min(text.size(), static_cast<size_t>(capacity - 1));
      std::memcpy(buffer, text.data(), length);
      buffer[length] = '\0';
    });
  }

  // ---- memory

  topv_status alloc(int64_t bytes, void** out) noexcept override {
    return call([&] { check_memory(cudaMalloc(out, static_cast<size_t>(bytes) + 1), "alloc", bytes); });
  }
  topv_status free(void* memory) noexcept override {
    return call([&] { check(cudaFree(memory), "free"); });
  }
  topv_status host_alloc(int64_t bytes, void** out) noexcept override {
    return call([&] {
      const unsigned flags = cudaHostAllocPortable | cudaHostAllocMapped;
      check_memory(cudaHostAlloc(out, static_cast<size_t>(bytes) + 1, flags), "host_alloc", bytes);
    });
  }
  topv_status host_free(void* memory) noexcept override {
    return call([&] { check(cudaFreeHost(memory), "host_free"); });
  }
  topv_status copy(topv_stream* stream, void* dst, const void* src, int64_t bytes,
                   topv_copy_kind kind) noexcept override {
    return call([&] {
      Stream& on = of(stream);
      if (kind != TOPV_DEVICE_TO_DEVICE) on.must_not_record("copy");
      if (kind == TOPV_HOST_TO_DEVICE) return on.upload(dst, src, bytes);
      const cudaMemcpyKind way =
          kind == TOPV_DEVICE_TO_HOST ? cudaMemcpyDeviceToHost : cudaMemcpyDeviceToDevice;
      check(cudaMemcpyAsync(dst, src, static_cast<size_t>(bytes), way, on.native()), "copy");
      if (kind == TOPV_DEVICE_TO_HOST) on.synchronize();
    });
  }

  // ---- streams, events, graphs

  topv_status stream_create(topv_stream** out) noexcept override {
    return call([&] { *out = new Stream; });
  }
  topv_status stream_wrap(void* native, topv_stream** out) noexcept override {
    return call([&] { *out = new Stream(static_cast<cudaStream_t>(native)); });
  }
  topv_status stream_native(topv_stream* stream, void** out) noexcept override {
    return call([&] { *out = of(stream).native(); });
  }
  topv_status stream_synchronize(topv_stream* stream) noexcept override {
    return call([&] { of(stream).synchronize(); });
  }
  topv_status stream_destroy(topv_stream* stream) noexcept override {
    return call([&] { delete stream; });
  }

  topv_status event_create(topv_event** out) noexcept override {
    return call([&] { *out = new Event; });
  }
  topv_status event_wrap(void* native, topv_event** out) noexcept override {
    return call([&] { *out = new Event(static_cast<cudaEvent_t>(native)); });
  }
  topv_status event_record(topv_stream* stream, topv_event* event) noexcept override {
    return call([&] {
      of(stream).must_not_record("event_record");
      check(cudaEventRecord(of(event), of(stream).native()), "event_record");
    });
  }
  topv_status event_wait(topv_stream* stream, topv_event* event) noexcept override {
    return call([&] {
      of(stream).must_not_record("event_wait");
      check(cudaStreamWaitEvent(of(stream).native(), of(event), 0), "event_wait");
    });
  }
  topv_status event_elapsed(topv_event* begin, topv_event* end, float* milliseconds) noexcept override {
    return call([&] {
      check(cudaEventSynchronize(of(end)), "event_elapsed");
      check(cudaEventElapsedTime(milliseconds, of(begin), of(end)), "event_elapsed");
    });
  }
  topv_status event_destroy(topv_event* event) noexcept override {
    return call([&] { delete event; });
  }

  topv_status graph_begin(topv_stream* stream) noexcept override {
    return call([&] { of(stream).begin(); });
  }
  topv_status graph_end(topv_stream* stream, topv_graph** out) noexcept override {
    return call([&] { *out = new Graph(of(stream)); });
  }
  topv_status graph_launch(topv_stream* stream, topv_graph* graph) noexcept override {
    return call([&] {
      static_cast<Graph*>(graph)->launch(of(stream));
      if (blocking_) of(stream).synchronize();
    });
  }
  topv_status graph_destroy(topv_graph* graph) noexcept override {
    return call([&] { delete graph; });
  }

  // ---- operations

  topv_status weight_create(const topv_weight_params& params, topv_weight** out) noexcept override {
    return call([&] {
      default_.must_not_record("weight_create");
      *out = cuda::weight_create(run_on(default_), default_, params).release();
    });
  }
  topv_status weight_destroy(topv_weight* weight) noexcept override {
    return call([&] { delete weight; });
  }

#define TOPV_RUN(name, Params)                                                    \
  topv_status name(topv_stream* stream, const Params& params) noexcept override { \
    return call([&] {                                                             \
      Stream& on = of(stream);                                                    \
      cuda::name(run_on(on), params);                                             \
      if (blocking_ && !on.recording()) on.synchronize();                         \
    });                                                                           \
  }
  TOPV_OPS(TOPV_RUN)
#undef TOPV_RUN

 private:
  /// The current device belongs to the thread, and contexts may change threads.
  template <typename Body>
  topv_status call(const Body& body) noexcept {
    return guard(message_, [&] {
      check(cudaSetDevice(device_.ordinal), "device");
      body();
    });
  }

  Stream& of(topv_stream* stream) { return stream != nullptr ? static_cast<Stream&>(*stream) : default_; }
  static cudaEvent_t of(topv_event* event) { return static_cast<Event*>(event)->native(); }

  static void check_memory(cudaError_t result, const char* call, int64_t bytes) {
    if (result != cudaErrorMemoryAllocation) return check(result, call);
    fail(TOPV_OUT_OF_MEMORY, "%s: no memory for %lld bytes", call, static_cast<long long>(bytes));
  }

  GemmRun run_on(Stream& stream) {
    stream.scratch().reset();
    return {{device_, known_, stream.native(), stream.scratch(), stream.fault(), &launches_}, products_};
  }

  std::string message_;
  Device device_;
  Known known_;
  bool blocking_;
  int64_t launches_ = 0;
  Products products_;
  Stream default_;
};

topv_status create(const topv_context_params* params, Backend** out, char* error, int64_t capacity) {
  std::string message;
  *out = nullptr;
  const topv_status status = guard(message, [&] { *out = new CudaBackend(params->device); });
  if (capacity > 0) {
    std::strncpy(error, message.c_str(), static_cast<size_t>(capacity) - 1);
    error[capacity - 1] = '\0';
  }
  return status;
}

}  // namespace
}  // namespace topv::cuda

extern "C" TOPV_API const topv::BackendFactory topv_backend_factory = {TOPV_CONTRACT_VERSION,
                                                                       &topv::cuda::create};
