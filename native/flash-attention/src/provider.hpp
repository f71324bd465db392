// Who computes. Arguments have been validated and defaults resolved; every function throws Error.
#pragma once

#include <memory>

#include "flash_attn/flash_attn.h"

namespace flash_attn {

class Provider {
 public:
  virtual ~Provider() = default;

  virtual const char* library() const = 0;
  virtual void varlen_fwd(CUstream_st* stream, const flash_attn_varlen_params& params) = 0;
  virtual void with_kvcache(CUstream_st* stream, const flash_attn_kvcache_params& params) = 0;
  virtual void synchronize(CUstream_st* stream) = 0;
  virtual void* allocate(int64_t bytes) = 0;
  virtual void release(void* memory) = 0;
  virtual void upload(CUstream_st* stream, void* device, const void* host, int64_t bytes) = 0;
  virtual void download(CUstream_st* stream, void* host, const void* device, int64_t bytes) = 0;
};

/// library: a file, or NULL.
std::unique_ptr<Provider> open_topv(const char* library, int32_t device);
std::unique_ptr<Provider> open_torch(const char* library, int32_t device);
std::unique_ptr<Provider> open_cudnn(const char* library, int32_t device);

}  // namespace flash_attn
