// Provider "torch": the FlashAttention 2 kernels inside libtorch_cuda.so, through the stable C functions that PyTorch keeps
// for ahead-of-time compiled models (torch/csrc/inductor/aoti_torch). Only what is declared here is used; nothing of PyTorch
// is needed to compile.
//
// aten::_flash_attention_forward takes pages since 2.12 (the functions whose names end in _v2); before, only packed keys.
// It has no cap on scores, and does not append to a cache.
#include <glob.h>

#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "error.hpp"
#include "library.hpp"
#include "provider.hpp"

namespace flash_attn {
namespace {

struct AtenTensorOpaque;
using Tensor = AtenTensorOpaque*;
struct GuardOpaque;
using Guard = GuardOpaque*;

/// The C functions of libtorch; a result that is not 0 is an error. Optional arguments are pointers, NULL = none.
struct Functions {
  int32_t (*dtype_float16)();
  int32_t (*dtype_bfloat16)();
  int32_t (*dtype_float32)();
  int32_t (*dtype_int32)();
  int32_t (*device_type_cuda)();
  int32_t (*create_tensor)(void* data, int64_t dims, const int64_t* sizes, const int64_t* strides,
                           int64_t offset, int32_t dtype, int32_t device_type, int32_t device, Tensor* out);
  int32_t (*delete_tensor)(Tensor tensor);
  int32_t (*data_of)(Tensor tensor, void** out);
  int32_t (*dims_of)(Tensor tensor, int64_t* out);
  int32_t (*sizes_of)(Tensor tensor, int64_t** out);
  int32_t (*copy)(Tensor to, Tensor from, int32_t non_blocking);
  int32_t (*create_guard)(void* stream, int32_t device, Guard* out);
  int32_t (*delete_guard)(Guard guard);
  int32_t (*forward)(Tensor q, Tensor k, Tensor v, Tensor* cu_seqlens_q, Tensor* cu_seqlens_k, int64_t max_q,
                     int64_t max_k, double dropout, int32_t causal, int32_t debug_mask, double* scale,
                     int64_t* window_left, int64_t* window_right, Tensor* seqused_k, Tensor* alibi_slopes,
                     Tensor* out, Tensor* lse, Tensor* seed, Tensor* offset, Tensor* mask);
  int32_t (*forward_paged)(Tensor q, Tensor k, Tensor v, Tensor* cu_seqlens_q, Tensor* cu_seqlens_k,
                           int64_t max_q, int64_t max_k, double dropout, int32_t causal, int32_t debug_mask,
                           double* scale, int64_t* window_left, int64_t* window_right, Tensor* seqused_k,
                           Tensor* alibi_slopes, Tensor* block_table, int64_t* num_splits, Tensor* out,
                           Tensor* lse, Tensor* seed, Tensor* offset, Tensor* mask);
  const char* (*exception)();

  // of the CUDA runtime that libtorch_cuda.so needs
  int (*set_device)(int device);
  int (*malloc)(void** out, size_t bytes);
  int (*free)(void* memory);
  int (*copy_async)(void* to, const void* from, size_t bytes, int kind, CUstream_st* stream);
  int (*synchronize)(CUstream_st* stream);
  const char* (*error_string)(int error);
};

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

class Torch final : public Provider {
 public:
  Torch(const char* library, int32_t device)
      : library_(library, "FLASH_ATTN_TORCH_LIBRARY", "libtorch_cuda.so", torch_directories()),
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
    library_.require("aoti_torch_copy_", f_.copy);
    library_.require("aoti_torch_create_cuda_stream_guard", f_.create_guard);
    library_.require("aoti_torch_delete_cuda_stream_guard", f_.delete_guard);
    library_.require("aoti_torch_cuda__flash_attention_forward", f_.forward);
    library_.find("aoti_torch_cuda__flash_attention_forward_v2", f_.forward_paged);
    library_.find("torch_exception_get_what_without_backtrace", f_.exception);
    library_.require("cudaSetDevice", f_.set_device);
    library_.require("cudaMalloc", f_.malloc);
    library_.require("cudaFree", f_.free);
    library_.require("cudaMemcpyAsync", f_.copy_async);
    library_.require("cudaStreamSynchronize", f_.synchronize);
    library_.require("cudaGetErrorString", f_.error_string);
    use_device();
  }
  ~Torch() override {
    for (const auto& [shape, memory] : indices_) f_.free(memory);
  }

  const char* library() const override { return library_.path().c_str(); }

  void varlen_fwd(CUstream_st* stream, const flash_attn_varlen_params& p) override {
    const int64_t q_row = int64_t{p.heads} * p.head_dim, k_row = int64_t{p.heads_k} * p.head_dim;
    const auto stride = [](int64_t given, int64_t dense) { return given != 0 ? given : dense; };
    Call call = {};
    call.q = {p.q, {p.total_q, p.heads, p.head_dim}, {stride(p.q_row_stride, q_row), p.head_dim, 1}};
    call.out = {p.out, {p.total_q, p.heads, p.head_dim}, {stride(p.o_row_stride, q_row), p.head_dim, 1}};
    if (p.block_table != nullptr) {
      call.k = paged(p.k, p);
      call.v = paged(p.v, p);
    } else {
      call.k = {p.k, {p.total_k, p.heads_k, p.head_dim}, {stride(p.k_row_stride, k_row), p.head_dim, 1}};
      call.v = {p.v, {p.total_k, p.heads_k, p.head_dim}, {stride(p.v_row_stride, k_row), p.head_dim, 1}};
    }
    call.lse = {p.softmax_lse, {p.heads, p.total_q}, {p.total_q, 1}};
    call.cu_seqlens_q = p.cu_seqlens_q;
    // With pages the lengths are seqused_k; the operator wants an array of this shape all the same.
    call.cu_seqlens_k = p.block_table != nullptr ? p.cu_seqlens_q : p.cu_seqlens_k;
    call.seqused_k = p.seqused_k;
    call.max_q = p.max_seqlen_q;
    call.max_k = p.max_seqlen_k;
    forward("flash_attn_varlen_fwd", stream, p, call);
  }

  void with_kvcache(CUstream_st* stream, const flash_attn_kvcache_params& p) override {
    const char* const name = "flash_attn_with_kvcache";
    if (p.k != nullptr) unsupported(name, "appends nothing to a cache: k and v must be NULL");
    if (p.cache_batch_idx != nullptr) unsupported(name, "has no cache_batch_idx");
    const int64_t tokens = int64_t{p.batch} * p.seqlen_q;
    Call call = {};
    call.q = {p.q, {tokens, p.heads, p.head_dim}, {int64_t{p.heads} * p.head_dim, p.head_dim, 1}};
    call.out = call.q;
    call.out.data = p.out;
    // [batch, heads, seqlen_q], seen as [heads, batch, seqlen_q]
    call.lse = {
        p.softmax_lse, {p.heads, p.batch, p.seqlen_q}, {p.seqlen_q, int64_t{p.heads} * p.seqlen_q, 1}};
    call.cu_seqlens_q = multiples(stream, p.batch, p.seqlen_q);
    call.seqused_k = p.cache_seqlens;
    call.max_q = p.seqlen_q;
    if (p.block_table != nullptr) {
      call.k = paged(p.k_cache, p);
      call.v = paged(p.v_cache, p);
      call.cu_seqlens_k = call.cu_seqlens_q;
      call.max_k = int64_t{p.max_blocks} * p.page_size;
    } else {
      call.k = {p.k_cache,
                {int64_t{p.cache_batch} * p.seqlen_cache, p.heads_k, p.head_dim},
                {int64_t{p.heads_k} * p.head_dim, p.head_dim, 1}};
      call.v = call.k;
      call.v.data = p.v_cache;
      call.cu_seqlens_k = multiples(stream, p.batch, p.seqlen_cache);
      call.max_k = p.seqlen_cache;
    }
    forward(name, stream, p, call);
  }

  void synchronize(CUstream_st* stream) override {
    use_device();
    cuda(f_.synchronize(stream), "synchronize");
  }
  void* allocate(int64_t bytes) override {
    use_device();
    void* memory = nullptr;
    cuda(f_.malloc(&memory, static_cast<size_t>(bytes) + 1), "malloc");
    return memory;
  }
  void release(void* memory) override { cuda(f_.free(memory), "free"); }
  void upload(CUstream_st* stream, void* device, const void* host, int64_t bytes) override {
    transfer(stream, device, host, bytes, kHostToDevice);
  }
  void download(CUstream_st* stream, void* host, const void* device, int64_t bytes) override {
    transfer(stream, host, device, bytes, kDeviceToHost);
  }

 private:
  struct View {
    const void* data;
    std::vector<int64_t> sizes, strides;
  };

  /// One call of the operator.
  struct Call {
    View q, k, v, out, lse;
    const int32_t *cu_seqlens_q, *cu_seqlens_k, *seqused_k;
    int64_t max_q, max_k;
  };

  /// Owns a handle.
  struct Owned {
    const Functions& f;
    Tensor tensor = nullptr;

    explicit Owned(const Functions& functions) : f(functions) {}
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() {
      if (tensor != nullptr) f.delete_tensor(tensor);
    }
    /// For an optional argument.
    Tensor* pointer() { return tensor != nullptr ? &tensor : nullptr; }
  };

  /// Work of this thread goes to a stream as long as it lives.
  struct OnStream {
    const Torch& torch;
    Guard guard = nullptr;

    OnStream(const Torch& owner, CUstream_st* stream) : torch(owner) {
      torch.check(torch.f_.create_guard(stream, torch.device_, &guard), "stream");
    }
    OnStream(const OnStream&) = delete;
    OnStream& operator=(const OnStream&) = delete;
    ~OnStream() { torch.f_.delete_guard(guard); }
  };

  template <typename Params>
  static View paged(const void* data, const Params& p) {
    const int64_t row = int64_t{p.heads_k} * p.head_dim;
    return {data, {p.blocks, p.page_size, p.heads_k, p.head_dim}, {p.page_size * row, row, p.head_dim, 1}};
  }

  template <typename Params>
  void forward(const char* name, CUstream_st* stream, const Params& p, const Call& call) const {
    if (p.dtype == FLASH_ATTN_F32) unsupported(name, "has FlashAttention for F16 and BF16 only");
    if (p.softcap > 0) unsupported(name, "has no softcap");
    if (p.block_table != nullptr && f_.forward_paged == nullptr)
      unsupported(name, "takes pages since version 2.12");
    use_device();
    const OnStream on(*this, stream);
    const int32_t dtype = p.dtype == FLASH_ATTN_F16 ? f_.dtype_float16() : f_.dtype_bfloat16();
    Owned q(f_), k(f_), v(f_), out(f_), cu_q(f_), cu_k(f_), used(f_), table(f_);
    make(q, call.q, dtype);
    make(k, call.k, dtype);
    make(v, call.v, dtype);
    make(out, call.out, dtype);
    make(cu_q, {call.cu_seqlens_q, {p.batch + 1}, {1}}, f_.dtype_int32());
    make(cu_k, {call.cu_seqlens_k, {p.batch + 1}, {1}}, f_.dtype_int32());
    if (call.seqused_k != nullptr) make(used, {call.seqused_k, {p.batch}, {1}}, f_.dtype_int32());
    if (p.block_table != nullptr) {
      make(table, {p.block_table, {p.batch, p.max_blocks}, {p.max_blocks, 1}}, f_.dtype_int32());
    }
    double scale = static_cast<double>(p.softmax_scale);
    int64_t left = p.window_left, right = p.window_right;
    Owned result(f_), lse(f_), seed(f_), offset(f_), mask(f_);
    const int32_t failed =
        p.block_table != nullptr
            ? f_.forward_paged(q.tensor, k.tensor, v.tensor, cu_q.pointer(), cu_k.pointer(), call.max_q,
                               call.max_k, 0.0, p.causal, 0, &scale, &left, &right, used.pointer(), nullptr,
                               table.pointer(), nullptr, &result.tensor, &lse.tensor, &seed.tensor,
                               &offset.tensor, &mask.tensor)
            : f_.forward(q.tensor, k.tensor, v.tensor, cu_q.pointer(), cu_k.pointer(), call.max_q, call.max_k,
                         0.0, p.causal, 0, &scale, &left, &right, used.pointer(), nullptr, &result.tensor,
                         &lse.tensor, &seed.tensor, &offset.tensor, &mask.tensor);
    check(failed, name);
    check(f_.copy(out.tensor, result.tensor, 1), name);
    if (call.lse.data != nullptr) copy_lse(name, call.lse, p.heads, call.q.sizes[0], lse.tensor);
  }

  /// from is [heads, tokens], dense.
  void copy_lse(const char* name, const View& to, int64_t heads, int64_t tokens, Tensor from) const {
    int64_t dims = 0, *sizes = nullptr;
    void* data = nullptr;
    check(f_.dims_of(from, &dims), name);
    check(f_.sizes_of(from, &sizes), name);
    check(f_.data_of(from, &data), name);
    if (dims != 2 || sizes[0] != heads || sizes[1] != tokens) {
      unsupported(name, "gives a log-sum-exp of another shape than [heads, tokens]");
    }
    View source = {data, to.sizes, {}};
    source.strides.resize(to.sizes.size());
    int64_t stride = 1;
    for (size_t i = to.sizes.size(); i-- > 0; stride *= to.sizes[i]) source.strides[i] = stride;
    Owned a(f_), b(f_);
    make(a, to, f_.dtype_float32());
    make(b, source, f_.dtype_float32());
    check(f_.copy(a.tensor, b.tensor, 1), name);
  }

  void make(Owned& out, const View& view, int32_t dtype) const {
    check(f_.create_tensor(const_cast<void*>(view.data), static_cast<int64_t>(view.sizes.size()),
                           view.sizes.data(), view.strides.data(), 0, dtype, f_.device_type_cuda(), device_,
                           &out.tensor),
          "tensor");
  }

  /// 0, step, .. batch * step, in device memory that is kept.
  const int32_t* multiples(CUstream_st* stream, int32_t batch, int32_t step) {
    void*& memory = indices_[{batch, step}];
    if (memory == nullptr) {
      std::vector<int32_t> values;
      for (int32_t b = 0; b <= batch; ++b) values.push_back(b * step);
      memory = allocate(static_cast<int64_t>(values.size() * sizeof(int32_t)));
      upload(stream, memory, values.data(), static_cast<int64_t>(values.size() * sizeof(int32_t)));
    }
    return static_cast<const int32_t*>(memory);
  }

  void transfer(CUstream_st* stream, void* to, const void* from, int64_t bytes, int kind) {
    use_device();
    cuda(f_.copy_async(to, from, static_cast<size_t>(bytes), kind, stream), "copy");
    cuda(f_.synchronize(stream), "copy");
  }

  void use_device() const { cuda(f_.set_device(device_), "device"); }

  void cuda(int error, const char* what) const {
    if (error == 0) return;
    constexpr int kMemoryAllocation = 2;  // cudaErrorMemoryAllocation
    fail(error == kMemoryAllocation ? FLASH_ATTN_OUT_OF_MEMORY : FLASH_ATTN_PROVIDER_ERROR, "%s: %s", what,
         f_.error_string(error));
  }

  void check(int32_t failed, const char* name) const {
    if (failed == 0) return;
    const char* words =
        f_.exception != nullptr ? f_.exception() : "PyTorch has written why to standard error";
    fail(FLASH_ATTN_PROVIDER_ERROR, "%s: %s", name, words);
  }

  [[noreturn]] void unsupported(const char* name, const char* what) const {
    fail(FLASH_ATTN_UNSUPPORTED, "%s: provider \"torch\" (%s) %s", name, library_.path().c_str(), what);
  }

  Library library_;
  Functions f_ = {};
  int32_t device_;
  std::map<std::pair<int32_t, int32_t>, void*> indices_;
};

}  // namespace

std::unique_ptr<Provider> open_torch(const char* library, int32_t device) {
  return std::make_unique<Torch>(library, device);
}

}  // namespace flash_attn
