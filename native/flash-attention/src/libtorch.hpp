// What the providers that compute inside an installed PyTorch share: libtorch_cuda.so, through the stable C functions that
// PyTorch keeps for ahead-of-time compiled models (torch/csrc/inductor/aoti_torch). Only what is declared here and in the
// providers is used; nothing of PyTorch is needed to compile.
#pragma once

#include <string>
#include <vector>

#include "error.hpp"
#include "library.hpp"
#include "provider.hpp"

namespace flash_attn {

class LibTorch : public Provider {
 public:
  const char* library() const override { return library_.path().c_str(); }
  void synchronize(CUstream_st* stream) override;
  void* allocate(int64_t bytes) override;
  void release(void* memory) override;
  void upload(CUstream_st* stream, void* device, const void* host, int64_t bytes) override;
  void download(CUstream_st* stream, void* host, const void* device, int64_t bytes) override;

 protected:
  struct AtenTensorOpaque;
  using Handle = AtenTensorOpaque*;  ///< of a tensor

  /// Elements of `dtype` somewhere in device memory.
  struct View {
    const void* data;
    std::vector<int64_t> sizes, strides;
  };

  /// Owns a handle: of a tensor over foreign memory, or of a result.
  class Tensor {
   public:
    explicit Tensor(const LibTorch& torch) : torch_(torch) {}
    /// None where there is no data.
    Tensor(const LibTorch& torch, const View& view, int32_t dtype) : torch_(torch) {
      if (view.data != nullptr) torch.make(*this, view, dtype);
    }
    Tensor(const Tensor&) = delete;
    Tensor& operator=(const Tensor&) = delete;
    ~Tensor() {
      if (handle != nullptr) torch_.f_.delete_tensor(handle);
    }
    /// For an optional argument.
    Handle* pointer() { return handle != nullptr ? &handle : nullptr; }

    Handle handle = nullptr;

   private:
    const LibTorch& torch_;
  };

  /// Work of this thread goes to a stream as long as it lives.
  class OnStream {
   public:
    OnStream(const LibTorch& torch, CUstream_st* stream);
    OnStream(const OnStream&) = delete;
    OnStream& operator=(const OnStream&) = delete;
    ~OnStream() { torch_.f_.delete_guard(guard_); }

   private:
    const LibTorch& torch_;
    struct GuardOpaque* guard_ = nullptr;
  };

  /// name: the provider's.
  LibTorch(const char* name, const char* library, int32_t device);

  /// Of F16 and BF16; others are refused.
  int32_t dtype(const char* function, int32_t of) const;
  int32_t dtype_int32() const { return f_.dtype_int32(); }

  /// Copies what a call gave as its result, in its own layout. to: sizes and strides of the caller's memory.
  void copy(const char* function, const View& to, int32_t dtype, const Tensor& from) const;
  /// The same for a log-sum-exp (float32): its sizes, after those of 1 are left out at the end, must be `sizes`; it is
  /// seen as to.sizes.
  void copy_lse(const char* function, const View& to, const std::vector<int64_t>& sizes,
                const Tensor& from) const;

  /// Fails where a function of libtorch did.
  void check(int32_t failed, const char* function) const;
  [[noreturn]] void unsupported(const char* function, const char* what) const;

  void use_device() const { cuda(f_.set_device(device_), "device"); }

  Library library_;

 private:
  /// The C functions of libtorch; a result that is not 0 is an error. Optional arguments are pointers, NULL = none.
  struct Functions {
    int32_t (*dtype_float16)();
    int32_t (*dtype_bfloat16)();
    int32_t (*dtype_float32)();
    int32_t (*dtype_int32)();
    int32_t (*device_type_cuda)();
    int32_t (*create_tensor)(void* data, int64_t dims, const int64_t* sizes, const int64_t* strides,
                             int64_t offset, int32_t dtype, int32_t device_type, int32_t device, Handle* out);
    int32_t (*delete_tensor)(Handle tensor);
    int32_t (*data_of)(Handle tensor, void** out);
    int32_t (*dims_of)(Handle tensor, int64_t* out);
    int32_t (*sizes_of)(Handle tensor, int64_t** out);
    int32_t (*strides_of)(Handle tensor, int64_t** out);
    int32_t (*copy)(Handle to, Handle from, int32_t non_blocking);
    int32_t (*create_guard)(void* stream, int32_t device, struct GuardOpaque** out);
    int32_t (*delete_guard)(struct GuardOpaque* guard);
    const char* (*exception)();

    // of the CUDA runtime that libtorch_cuda.so needs
    int (*set_device)(int device);
    int (*malloc)(void** out, size_t bytes);
    int (*free)(void* memory);
    int (*copy_async)(void* to, const void* from, size_t bytes, int kind, CUstream_st* stream);
    int (*synchronize)(CUstream_st* stream);
    const char* (*error_string)(int error);
  };

  void make(Tensor& out, const View& view, int32_t dtype) const;
  void transfer(CUstream_st* stream, void* to, const void* from, int64_t bytes, int kind);
  void cuda(int error, const char* what) const;

  const char* name_;
  Functions f_ = {};
  int32_t device_;
};

/// Strides of dense rows of heads, where the caller gave none.
inline int64_t row_stride(int64_t given, int64_t heads, int64_t head_dim) {
  return given != 0 ? given : heads * head_dim;
}

}  // namespace flash_attn
