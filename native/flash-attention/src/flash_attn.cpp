// The C functions: validate, then ask the provider. Nothing thrown gets out.
#include "flash_attn/flash_attn.h"

#include <cmath>
#include <cstring>
#include <new>
#include <string>

#include "error.hpp"
#include "provider.hpp"
#include "validate.hpp"

struct flash_attn_context {
  std::string name;
  std::unique_ptr<flash_attn::Provider> provider;
};

namespace flash_attn {
namespace {

thread_local std::string words;

template <typename Body>
flash_attn_status guard(const Body& body) noexcept {
  const auto failed = [](flash_attn_status status, const char* text) noexcept {
    try {
      words = text;
    } catch (...) {
      words.clear();
    }
    return status;
  };
  try {
    words.clear();
    body();
    return FLASH_ATTN_OK;
  } catch (const Error& error) {
    return failed(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(FLASH_ATTN_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return failed(FLASH_ATTN_PROVIDER_ERROR, error.what());
  } catch (...) {
    return failed(FLASH_ATTN_PROVIDER_ERROR, "unknown exception");
  }
}

/// The same with a context's provider.
template <typename Body>
flash_attn_status with(const char* function, flash_attn_context* context, const Body& body) noexcept {
  return guard([&] {
    if (context == nullptr) fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: context is NULL", function);
    body(*context->provider);
  });
}

template <typename Params>
Params checked(const char* function, const Params* params) {
  if (params == nullptr) fail(FLASH_ATTN_INVALID_ARGUMENT, "%s: params is NULL", function);
  validate(*params);
  Params resolved = *params;
  if (resolved.softmax_scale == 0)
    resolved.softmax_scale = 1 / std::sqrt(static_cast<float>(params->head_dim));
  if (resolved.causal != 0) resolved.window_right = 0;
  return resolved;
}

std::unique_ptr<Provider> open(const std::string& name, const char* library, int32_t device) {
  if (name == "topv") return open_topv(library, device);
  if (name == "torch") return open_torch(library, device);
  if (name == "cudnn") return open_cudnn(library, device);
  fail(FLASH_ATTN_INVALID_ARGUMENT,
       "flash_attn_open: provider \"%.40s\" is none of \"topv\", \"torch\" and \"cudnn\"", name.c_str());
}

}  // namespace
}  // namespace flash_attn

using flash_attn::checked;
using flash_attn::fail;
using flash_attn::guard;
using flash_attn::Provider;
using flash_attn::with;

const char* flash_attn_version(void) { return FLASH_ATTN_VERSION; }

const char* flash_attn_error_message(void) { return flash_attn::words.c_str(); }

flash_attn_status flash_attn_open(const char* provider, const char* library, int32_t device,
                                  flash_attn_context** out) {
  return guard([&] {
    if (out == nullptr) fail(FLASH_ATTN_INVALID_ARGUMENT, "flash_attn_open: out is NULL");
    *out = nullptr;
    if (provider == nullptr) fail(FLASH_ATTN_INVALID_ARGUMENT, "flash_attn_open: provider is NULL");
    if (device < 0) fail(FLASH_ATTN_INVALID_ARGUMENT, "flash_attn_open: device = %d is below 0", device);
    *out = new flash_attn_context{provider, flash_attn::open(provider, library, device)};
  });
}

void flash_attn_close(flash_attn_context* context) {
  guard([&] { delete context; });
}

const char* flash_attn_provider(const flash_attn_context* context) {
  return context == nullptr ? "" : context->name.c_str();
}

const char* flash_attn_library(const flash_attn_context* context) {
  return context == nullptr ? "" : context->provider->library();
}

flash_attn_status flash_attn_varlen_fwd(flash_attn_context* context, CUstream_st* stream,
                                        const flash_attn_varlen_params* params) {
  return with("flash_attn_varlen_fwd", context, [&](Provider& provider) {
    const flash_attn_varlen_params p = checked("flash_attn_varlen_fwd", params);
    if (p.batch > 0 && p.total_q > 0) provider.varlen_fwd(stream, p);
  });
}

flash_attn_status flash_attn_with_kvcache(flash_attn_context* context, CUstream_st* stream,
                                          const flash_attn_kvcache_params* params) {
  return with("flash_attn_with_kvcache", context, [&](Provider& provider) {
    const flash_attn_kvcache_params p = checked("flash_attn_with_kvcache", params);
    if (p.batch > 0 && p.seqlen_q > 0) provider.with_kvcache(stream, p);
  });
}

flash_attn_status flash_attn_synchronize(flash_attn_context* context, CUstream_st* stream) {
  return with("flash_attn_synchronize", context, [&](Provider& provider) { provider.synchronize(stream); });
}

flash_attn_status flash_attn_malloc(flash_attn_context* context, int64_t bytes, void** out) {
  return with("flash_attn_malloc", context, [&](Provider& provider) {
    if (out == nullptr) fail(FLASH_ATTN_INVALID_ARGUMENT, "flash_attn_malloc: out is NULL");
    if (bytes < 0) fail(FLASH_ATTN_INVALID_ARGUMENT, "flash_attn_malloc: bytes is below 0");
    *out = provider.allocate(bytes);
  });
}

flash_attn_status flash_attn_free(flash_attn_context* context, void* memory) {
  return with("flash_attn_free", context, [&](Provider& provider) { provider.release(memory); });
}

flash_attn_status flash_attn_upload(flash_attn_context* context, CUstream_st* stream, void* device,
                                    const void* host, int64_t bytes) {
  return with("flash_attn_upload", context,
              [&](Provider& provider) { provider.upload(stream, device, host, bytes); });
}

flash_attn_status flash_attn_download(flash_attn_context* context, CUstream_st* stream, void* host,
                                      const void* device, int64_t bytes) {
  return with("flash_attn_download", context,
              [&](Provider& provider) { provider.download(stream, host, device, bytes); });
}
