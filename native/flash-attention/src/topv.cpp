// Provider "topv": the kernels in libtopv_cuda.so.
#include "error.hpp"
#include "flash_attn/topv_provider.h"
#include "library.hpp"
#include "provider.hpp"

namespace flash_attn {
namespace {

class Topv final : public Provider {
 public:
  Topv(const char* library, int32_t device)
      : library_(library, "FLASH_ATTN_TOPV_LIBRARY", "libtopv_cuda.so") {
    library_.require("topv_flash_attn_provider", table_);
    if (table_->version != FLASH_ATTN_TOPV_VERSION) {
      fail(FLASH_ATTN_UNSUPPORTED, "%s is of interface version %d, this library of %d",
           library_.path().c_str(), table_->version, FLASH_ATTN_TOPV_VERSION);
    }
    check(table_->open(device, &context_));
  }
  ~Topv() override {
    if (context_ != nullptr) table_->close(context_);
  }

  const char* library() const override { return library_.path().c_str(); }
  void varlen_fwd(CUstream_st* stream, const flash_attn_varlen_params& params) override {
    check(table_->varlen_fwd(context_, stream, &params));
  }
  void with_kvcache(CUstream_st* stream, const flash_attn_kvcache_params& params) override {
    check(table_->with_kvcache(context_, stream, &params));
  }
  void synchronize(CUstream_st* stream) override { check(table_->synchronize(context_, stream)); }
  void* allocate(int64_t bytes) override {
    void* memory = nullptr;
    check(table_->malloc(context_, bytes, &memory));
    return memory;
  }
  void release(void* memory) override { check(table_->free(context_, memory)); }
  void upload(CUstream_st* stream, void* device, const void* host, int64_t bytes) override {
    check(table_->upload(context_, stream, device, host, bytes));
  }
  void download(CUstream_st* stream, void* host, const void* device, int64_t bytes) override {
    check(table_->download(context_, stream, host, device, bytes));
  }

 private:
  void check(flash_attn_status status) const {
    if (status != FLASH_ATTN_OK) throw Error(status, table_->message());
  }

  Library library_;
  const flash_attn_topv_provider* table_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace

std::unique_ptr<Provider> open_topv(const char* library, int32_t device) {
  return std::make_unique<Topv>(library, device);
}

}  // namespace flash_attn
