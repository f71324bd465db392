// Provider "torch": the FlashAttention 2 kernels inside libtorch_cuda.so.
//
// aten::_flash_attention_forward takes pages since 2.12 (the functions whose names end in _v2); before, only packed keys.
// It has no cap on scores, and does not append to a cache.
#include <map>
#include <utility>

#include "libtorch.hpp"

namespace flash_attn {
namespace {

class Torch final : public LibTorch {
 public:
  Torch(const char* library, int32_t device) : LibTorch("torch", library, device) {
    library_.require("aoti_torch_cuda__flash_attention_forward", forward_);
    library_.find("aoti_torch_cuda__flash_attention_forward_v2", forward_paged_);
  }
  ~Torch() override {
    for (const auto& [shape, memory] : indices_) release(memory);
  }

  void varlen_fwd(CUstream_st* stream, const flash_attn_varlen_params& p) override {
    const auto rows = [&](const void* data, int32_t tokens, int32_t heads, int64_t stride) {
      return View{data, {tokens, heads, p.head_dim}, {row_stride(stride, heads, p.head_dim), p.head_dim, 1}};
    };
    Call call = {};
    call.q = rows(p.q, p.total_q, p.heads, p.q_row_stride);
    call.out = rows(p.out, p.total_q, p.heads, p.o_row_stride);
    if (p.block_table != nullptr) {
      call.k = paged(p.k, p);
      call.v = paged(p.v, p);
    } else {
      call.k = rows(p.k, p.total_k, p.heads_k, p.k_row_stride);
      call.v = rows(p.v, p.total_k, p.heads_k, p.v_row_stride);
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

 private:
  /// One call of the operator.
  struct Call {
    View q, k, v, out, lse;
    const int32_t *cu_seqlens_q, *cu_seqlens_k, *seqused_k;
    int64_t max_q, max_k;
  };

  template <typename Params>
  static View paged(const void* data, const Params& p) {
    const int64_t row = int64_t{p.heads_k} * p.head_dim;
    return {data, {p.blocks, p.page_size, p.heads_k, p.head_dim}, {p.page_size * row, row, p.head_dim, 1}};
  }

  template <typename Params>
  void forward(const char* name, CUstream_st* stream, const Params& p, const Call& call) const {
    const int32_t type = dtype(name, p.dtype);
    if (p.softcap > 0) unsupported(name, "has no softcap");
    if (p.block_table != nullptr && forward_paged_ == nullptr)
      unsupported(name, "takes pages since version 2.12");
    if (call.k.data == nullptr || call.v.data == nullptr) unsupported(name, "needs keys");
    const OnStream on(*this, stream);
    const Tensor q(*this, call.q, type), k(*this, call.k, type), v(*this, call.v, type);
    Tensor cu_q(*this, {call.cu_seqlens_q, {p.batch + 1}, {1}}, dtype_int32());
    Tensor cu_k(*this, {call.cu_seqlens_k, {p.batch + 1}, {1}}, dtype_int32());
    Tensor used(*this, {call.seqused_k, {p.batch}, {1}}, dtype_int32());
    Tensor table(*this, {p.block_table, {p.batch, p.max_blocks}, {p.max_blocks, 1}}, dtype_int32());
    double scale = static_cast<double>(p.softmax_scale);
    int64_t left = p.window_left, right = p.window_right;
    Tensor out(*this), lse(*this), seed(*this), offset(*this), mask(*this);
    check(p.block_table != nullptr
              ? forward_paged_(q.handle, k.handle, v.handle, cu_q.pointer(), cu_k.pointer(), call.max_q,
                               call.max_k, 0.0, p.causal, 0, &scale, &left, &right, used.pointer(), nullptr,
                               table.pointer(), nullptr, &out.handle, &lse.handle, &seed.handle,
                               &offset.handle, &mask.handle)
              : forward_(q.handle, k.handle, v.handle, cu_q.pointer(), cu_k.pointer(), call.max_q, call.max_k,
                         0.0, p.causal, 0, &scale, &left, &right, used.pointer(), nullptr, &out.handle,
                         &lse.handle, &seed.handle, &offset.handle, &mask.handle),
          name);
    copy(name, call.out, type, out);
    if (call.lse.data != nullptr) copy_lse(name, call.lse, {p.heads, call.q.sizes[0]}, lse);
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

  int32_t (*forward_)(Handle q, Handle k, Handle v, Handle* cu_seqlens_q, Handle* cu_seqlens_k, int64_t max_q,
                      int64_t max_k, double dropout, int32_t causal, int32_t debug_mask, double* scale,
                      int64_t* window_left, int64_t* window_right, Handle* seqused_k, Handle* alibi_slopes,
                      Handle* out, Handle* lse, Handle* seed, Handle* offset, Handle* mask) = nullptr;
  int32_t (*forward_paged_)(Handle q, Handle k, Handle v, Handle* cu_seqlens_q, Handle* cu_seqlens_k,
                            int64_t max_q, int64_t max_k, double dropout, int32_t causal, int32_t debug_mask,
                            double* scale, int64_t* window_left, int64_t* window_right, Handle* seqused_k,
                            Handle* alibi_slopes, Handle* block_table, int64_t* num_splits, Handle* out,
                            Handle* lse, Handle* seed, Handle* offset, Handle* mask) = nullptr;
  std::map<std::pair<int32_t, int32_t>, void*> indices_;
};

}  // namespace

std::unique_ptr<Provider> open_torch(const char* library, int32_t device) {
  return std::make_unique<Torch>(library, device);
}

}  // namespace flash_attn
