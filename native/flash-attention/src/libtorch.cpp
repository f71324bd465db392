#include "libtorch.hpp"

#include <glob.h>

#include <algorithm>
#include <cstdlib>

namespace flash_attn {
namespace {

constexpr int kHostToDevice = 1, kDeviceToHost = 2;  // cudaMemcpyKind

/// Python packages of PyTorch in the usual places.
std::vector<std::string> torch_directories() {
  std::vector<std::string> patterns;
  if (const char* environment = std::getenv("VIRTUAL_ENV")) {
    patterns.push_back(std::string(environment) + "/lib/python3*/site-packages/torch/lib");
  }
  patterns.insert(
      patterns.end(),
      {"/usr/local/lib/python3*/site-packages/torch/lib", "/usr/local/lib/python3*/dist-packages/torch/lib",
       "/usr/lib/python3*/site-packages/torch/lib", "/opt/conda/lib/python3*/site-packages/torch/lib"});
  std::vector<std::string> directories;
  for (const std::string& pattern : patterns) {
    glob_t found = {};
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      directories.insert(directories.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    globfree(&found);
  }
  return directories;
}

}  // namespace

LibTorch::LibTorch(const char* name, const char* library, int32_t device)
    : library_(library, "FLASH_ATTN_TORCH_LIBRARY", "libtorch_cuda.so", torch_directories()),
      name_(name),
      device_(device) {
  library_.require("aoti_torch_dtype_float16", f_.dtype_float16);
  library_.require("aoti_torch_dtype_bfloat16", f_.dtype_bfloat16);
  library_.require("aoti_torch_dtype_float32", f_.dtype_float32);
  library_.require("aoti_torch_dtype_int32", f_.dtype_int32);
  library_.require("aoti_torch_device_type_cuda", f_.device_type_cuda);
  library_.require("aoti_torch_create_tensor_from_blob", f_.create_tensor);
  library_.require("aoti_torch_delete_tensor_object", f_.delete_tensor);
  library_.require("aoti_torch_get_data_ptr", f_.data_of);
  library_.require("aoti_torch_get_dim", f_.dims_of);
  library_.require("aoti_torch_get_sizes", f_.sizes_of);
  library_.require("aoti_torch_get_strides", f_.strides_of);
  library_.require("aoti_torch_copy_", f_.copy);
  library_.require("aoti_torch_create_cuda_stream_guard", f_.create_guard);
  library_.require("aoti_torch_delete_cuda_stream_guard", f_.delete_guard);
  library_.find("torch_exception_get_what_without_backtrace", f_.exception);
  library_.require("cudaSetDevice", f_.set_device);
  library_.require("cudaMalloc", f_.malloc);
  library_.require("cudaFree", f_.free);
  library_.require("cudaMemcpyAsync", f_.copy_async);
  library_.require("cudaStreamSynchronize", f_.synchronize);
  library_.require("cudaGetErrorString", f_.error_string);
  use_device();
}

LibTorch::OnStream::OnStream(const LibTorch& torch, CUstream_st* stream) : torch_(torch) {
  torch.use_device();
  torch.check(torch.f_.create_guard(stream, torch.device_, &guard_), "stream");
}

// ---- memory

void LibTorch::synchronize(CUstream_st* stream) {
  use_device();
  cuda(f_.synchronize(stream), "synchronize");
}

void* LibTorch::allocate(int64_t bytes) {
  use_device();
  void* memory = nullptr;
  cuda(f_.malloc(&memory, static_cast<size_t>(bytes) + 1), "malloc");
  return memory;
}

void LibTorch::release(void* memory) { cuda(f_.free(memory), "free"); }

void LibTorch::upload(CUstream_st* stream, void* device, const void* host, int64_t bytes) {
  transfer(stream, device, host, bytes, kHostToDevice);
}

void LibTorch::download(CUstream_st* stream, void* host, const void* device, int64_t bytes) {
  transfer(stream, host, device, bytes, kDeviceToHost);
}

void LibTorch::transfer(CUstream_st* stream, void* to, const void* from, int64_t bytes, int kind) {
  use_device();
  cuda(f_.copy_async(to, from, static_cast<size_t>(bytes), kind, stream), "copy");
  cuda(f_.synchronize(stream), "copy");
}

// ---- tensors

int32_t LibTorch::dtype(const char* function, int32_t of) const {
  if (of == FLASH_ATTN_F32) unsupported(function, "computes in F16 and BF16 only");
  return of == FLASH_ATTN_F16 ? f_.dtype_float16() : f_.dtype_bfloat16();
}

void LibTorch::make(Tensor& out, const View& view, int32_t dtype) const {
  check(f_.create_tensor(const_cast<void*>(view.data), static_cast<int64_t>(view.sizes.size()),
                         view.sizes.data(), view.strides.data(), 0, dtype, f_.device_type_cuda(), device_,
                         &out.handle),
        "tensor");
}

void LibTorch::copy(const char* function, const View& to, int32_t dtype, const Tensor& from) const {
  const Tensor target(*this, to, dtype);
  check(f_.copy(target.handle, from.handle, 1), function);
}

void LibTorch::copy_lse(const char* function, const View& to, const std::vector<int64_t>& sizes,
                        const Tensor& from) const {
  int64_t dims = 0, *its_sizes = nullptr, *its_strides = nullptr;
  void* data = nullptr;
  check(f_.dims_of(from.handle, &dims), function);
  check(f_.sizes_of(from.handle, &its_sizes), function);
  check(f_.strides_of(from.handle, &its_strides), function);
  check(f_.data_of(from.handle, &data), function);
  const auto count = static_cast<int64_t>(sizes.size());
  while (dims > count && its_sizes[dims - 1] == 1) --dims;
  if (dims != count || !std::equal(sizes.begin(), sizes.end(), its_sizes)) {
    unsupported(function, "gives a log-sum-exp of another shape than expected");
  }
  View source = {data, to.sizes, {its_strides, its_strides + dims}};
  if (to.sizes != sizes) {  // seen otherwise: only where it is dense
    source.strides.assign(to.sizes.size(), 1);
    for (size_t i = to.sizes.size() - 1; i > 0; --i) source.strides[i - 1] = source.strides[i] * to.sizes[i];
  }
  copy(function, to, f_.dtype_float32(), Tensor(*this, source, f_.dtype_float32()));
}

// ---- errors

void LibTorch::cuda(int error, const char* what) const {
  if (error == 0) return;
  constexpr int kMemoryAllocation = 2;  // cudaErrorMemoryAllocation
  fail(error == kMemoryAllocation ? FLASH_ATTN_OUT_OF_MEMORY : FLASH_ATTN_PROVIDER_ERROR, "%s: %s", what,
       f_.error_string(error));
}

void LibTorch::check(int32_t failed, const char* function) const {
  if (failed == 0) return;
  const char* words = f_.exception != nullptr ? f_.exception() : "PyTorch has written why to standard error";
  fail(FLASH_ATTN_PROVIDER_ERROR, "%s: %s", function, words);
}

void LibTorch::unsupported(const char* function, const char* what) const {
  fail(FLASH_ATTN_UNSUPPORTED, "%s: provider \"%s\" (%s) %s", function, name_, library_.path().c_str(), what);
}

}  // namespace flash_attn
