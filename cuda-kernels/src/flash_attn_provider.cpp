// The provider "topv" of the FlashAttention preset: topv_provider.h over this library's streams and kernels.
#include "flash_attn/topv_provider.h"

#include <map>
#include <memory>
#include <string>

#include "device.hpp"
#include "flash_attn.hpp"
#include "guard.hpp"
#include "stream.hpp"

namespace topv::cuda {
namespace {

thread_local std::string words;

flash_attn_status translate(topv_status status) {
  switch (status) {
    case TOPV_OK:
      return FLASH_ATTN_OK;
    case TOPV_INVALID_ARGUMENT:
      return FLASH_ATTN_INVALID_ARGUMENT;
    case TOPV_UNSUPPORTED:
      return FLASH_ATTN_UNSUPPORTED;
    case TOPV_OUT_OF_MEMORY:
      return FLASH_ATTN_OUT_OF_MEMORY;
    default:
      return FLASH_ATTN_PROVIDER_ERROR;
  }
}

/// One device, and the caller's streams that it has seen.
class FlashAttention {
 public:
  explicit FlashAttention(int ordinal) : device_(open_device(ordinal)) {}

  Stream& of(CUstream_st* native) {
    std::unique_ptr<Stream>& stream = streams_[native];
    if (stream == nullptr) stream = std::make_unique<Stream>(static_cast<cudaStream_t>(native));
    return *stream;
  }
  Run run_on(CUstream_st* native) {
    Stream& stream = of(native);
    stream.scratch().reset();
    return {device_, known_, stream.native(), stream.scratch(), stream.fault()};
  }
  void use() const { check(cudaSetDevice(device_.ordinal), "device"); }

 private:
  Device device_;
  Known known_;
  std::map<CUstream_st*, std::unique_ptr<Stream>> streams_;
};

/// Runs body on the context's device; the current device belongs to the thread.
template <typename Body>
flash_attn_status call(void* context, const Body& body) noexcept {
  return translate(guard(words, [&] {
    FlashAttention& attention = *static_cast<FlashAttention*>(context);
    attention.use();
    body(attention);
  }));
}

const char* message() { return words.c_str(); }

flash_attn_status open(int32_t device, void** out) {
  return translate(guard(words, [&] { *out = new FlashAttention(device); }));
}

void close(void* context) {
  call(context, [](FlashAttention& attention) { delete &attention; });
}

flash_attn_status varlen_fwd(void* context, CUstream_st* stream, const flash_attn_varlen_params* params) {
  return call(context, [&](FlashAttention& a) { flash_attn_varlen_fwd(a.run_on(stream), *params); });
}

flash_attn_status with_kvcache(void* context, CUstream_st* stream, const flash_attn_kvcache_params* params) {
  return call(context, [&](FlashAttention& a) { flash_attn_with_kvcache(a.run_on(stream), *params); });
}

flash_attn_status synchronize(void* context, CUstream_st* stream) {
  return call(context, [&](FlashAttention& a) { a.of(stream).synchronize(); });
}

flash_attn_status allocate(void* context, int64_t bytes, void** out) {
  return call(context,
              [&](FlashAttention&) { check(cudaMalloc(out, static_cast<size_t>(bytes) + 1), "malloc"); });
}

flash_attn_status release(void* context, void* memory) {
  return call(context, [&](FlashAttention&) { check(cudaFree(memory), "free"); });
}

flash_attn_status upload(void* context, CUstream_st* stream, void* device, const void* host, int64_t bytes) {
  return call(context, [&](FlashAttention& a) { a.of(stream).upload(device, host, bytes); });
}

flash_attn_status download(void* context, CUstream_st* stream, void* host, const void* device,
                           int64_t bytes) {
  return call(context, [&](FlashAttention& a) {
    Stream& on = a.of(stream);
    check(cudaMemcpyAsync(host, device, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, on.native()),
          "download");
    on.synchronize();
  });
}

}  // namespace
}  // namespace topv::cuda

extern "C" FLASH_ATTN_API const flash_attn_topv_provider topv_flash_attn_provider = {
    FLASH_ATTN_TOPV_VERSION, &topv::cuda::message,      &topv::cuda::open,        &topv::cuda::close,
    &topv::cuda::varlen_fwd, &topv::cuda::with_kvcache, &topv::cuda::synchronize, &topv::cuda::allocate,
    &topv::cuda::release,    &topv::cuda::upload,       &topv::cuda::download};
