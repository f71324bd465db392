// The CUDA backend: memory, streams, and the dispatch of operations to their launchers.
#include <cstring>
#include <memory>
#include <string>

#include "gemm.hpp"
#include "guard.hpp"
#include "kernels.h"
#include "topv/backend.hpp"

namespace topv::cuda {
namespace {

/// A stream with what its operations share.
struct CudaStream final : topv_stream {
  cudaStream_t stream = nullptr;
  bool owned = true;
  Scratch scratch;
  Fault* fault = nullptr;

  explicit CudaStream(void* native) : stream(static_cast<cudaStream_t>(native)), owned(native == nullptr) {
    if (owned) check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream_create");
    void* memory = nullptr;
    check(cudaMalloc(&memory, sizeof(Fault)), "stream_create");
    fault = static_cast<Fault*>(memory);
    check(cudaMemsetAsync(fault, 0, sizeof(Fault), stream), "stream_create");
  }
  ~CudaStream() override {
    cudaStreamSynchronize(stream);
    cudaFree(fault);
    if (owned) cudaStreamDestroy(stream);
  }

  /// Waits, and throws what the kernels found wrong since the last time.
  void synchronize() {
    Fault found;
    check(cudaMemcpyAsync(&found, fault, sizeof found, cudaMemcpyDeviceToHost, stream), "stream_synchronize");
    check(cudaStreamSynchronize(stream), "stream_synchronize");
    if (found.kind == FaultKind::none) return;
    check(cudaMemsetAsync(fault, 0, sizeof(Fault), stream), "stream_synchronize");
    std::string words;
    const topv_status status = describe(found, words);
    throw Error(status, words.c_str());
  }
};

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(Device device) : device_(std::move(device)), default_(nullptr) {}

  const char* message() const noexcept override { return message_.c_str(); }

  topv_status describe(char* buffer, int64_t capacity, int64_t* needed) noexcept override {
    return guard(message_, [&] {
      const std::string text = "{\"backend\":\"cuda\",\"device\":\"" + device_.name + "\"}";
      if (needed != nullptr) *needed = static_cast<int64_t>(text.size()) + 1;
      if (capacity <= 0) return;
      const size_t length = std::min(text.size(), static_cast<size_t>(capacity - 1));
      std::memcpy(buffer, text.data(), length);
      buffer[length] = '\0';
    });
  }

  topv_status alloc(int64_t bytes, void** out) noexcept override {
    return guard(message_, [&] { check(cudaMalloc(out, static_cast<size_t>(bytes) + 1), "alloc"); });
  }
  topv_status free(void* memory) noexcept override {
    return guard(message_, [&] { check(cudaFree(memory), "free"); });
  }
  topv_status host_alloc(int64_t bytes, void** out) noexcept override {
    return guard(message_, [&] {
      check(cudaHostAlloc(out, static_cast<size_t>(bytes) + 1, cudaHostAllocPortable | cudaHostAllocMapped),
            "host_alloc");
    });
  }
  topv_status host_free(void* memory) noexcept override {
    return guard(message_, [&] { check(cudaFreeHost(memory), "host_free"); });
  }
  topv_status copy(topv_stream* stream, void* dst, const void* src, int64_t bytes,
                   topv_copy_kind kind) noexcept override {
    return guard(message_, [&] {
      const cudaMemcpyKind kinds[] = {cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost,
                                      cudaMemcpyDeviceToDevice};
      CudaStream& on = of(stream);
      check(cudaMemcpyAsync(dst, src, static_cast<size_t>(bytes), kinds[kind], on.stream), "copy");
      if (kind != TOPV_DEVICE_TO_DEVICE) on.synchronize();
    });
  }

  topv_status stream_create(topv_stream** out) noexcept override {
    return guard(message_, [&] { *out = new CudaStream(nullptr); });
  }
  topv_status stream_wrap(void* native, topv_stream** out) noexcept override {
    return guard(message_, [&] { *out = new CudaStream(native); });
  }
  topv_status stream_synchronize(topv_stream* stream) noexcept override {
    return guard(message_, [&] { of(stream).synchronize(); });
  }
  topv_status stream_destroy(topv_stream* stream) noexcept override {
    return guard(message_, [&] { delete stream; });
  }

  topv_status weight_create(const topv_weight_params& params, topv_weight** out) noexcept override {
    return run(nullptr, [&](const Run& r) { *out = cuda::weight_create(r, params).release(); });
  }
  topv_status weight_destroy(topv_weight* weight) noexcept override {
    return guard(message_, [&] { delete weight; });
  }

#define TOPV_RUN(name, Params)                                                    \
  topv_status name(topv_stream* stream, const Params& params) noexcept override { \
    return run(stream, [&](const Run& r) { cuda::name(r, params); });             \
  }
  TOPV_OPS(TOPV_RUN)
#undef TOPV_RUN

 private:
  CudaStream& of(topv_stream* stream) {
    return stream != nullptr ? static_cast<CudaStream&>(*stream) : default_;
  }

  template <typename Body>
  topv_status run(topv_stream* stream, const Body& body) noexcept {
    return guard(message_, [&] {
      CudaStream& on = of(stream);
      on.scratch.reset();
      body(Run{device_, on.stream, on.scratch, on.fault});
    });
  }

  std::string message_;
  Device device_;
  CudaStream default_;
};

topv_status create(const topv_context_params* params, Backend** out, char* error, int64_t capacity) {
  std::string message;
  *out = nullptr;
  const topv_status status = guard(message, [&] {
    Device device;
    device.ordinal = params->device;
    *out = new CudaBackend(device);
  });
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
