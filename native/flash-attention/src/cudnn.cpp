// Provider "cudnn": the attention of cuDNN 9 that an installed PyTorch brings and calls
// (aten::_scaled_dot_product_cudnn_attention).
//
// The operator takes dense [batch, heads, length, head_dim]: batches whose sequences are all as long as the longest. Its
// causal mask aligns the first query with the first key, so that causal attention needs as many queries as keys. It has
// neither windows nor pages nor a cap on scores. It is here to be compared with.
#include "libtorch.hpp"

namespace flash_attn {
namespace {

class Cudnn final : public LibTorch {
 public:
  Cudnn(const char* library, int32_t device) : LibTorch("cudnn", library, device) {
    library_.require("aoti_torch_cuda__scaled_dot_product_cudnn_attention", forward_);
  }

  void varlen_fwd(CUstream_st* stream, const flash_attn_varlen_params& p) override {
    const char* const name = "flash_attn_varlen_fwd";
    const int32_t type = dtype(name, p.dtype);
    if (p.softcap > 0) unsupported(name, "has no softcap");
    if (p.window_left >= 0 || (p.causal == 0 && p.window_right >= 0)) unsupported(name, "has no window");
    if (p.block_table != nullptr) unsupported(name, "takes no pages");
    if (p.total_q != int64_t{p.batch} * p.max_seqlen_q || p.total_k != int64_t{p.batch} * p.max_seqlen_k) {
      unsupported(name, "takes sequences of one length only: total = batch * max_seqlen");
    }
    if (p.total_k == 0) unsupported(name, "needs keys");
    if (p.causal != 0 && p.max_seqlen_q != p.max_seqlen_k)
      unsupported(name, "is causal only where there are as many queries as keys");

    const auto view = [&](const void* data, int64_t length, int64_t heads, int64_t stride) {
      const int64_t row = row_stride(stride, heads, p.head_dim);
      return View{data, {p.batch, heads, length, p.head_dim}, {length * row, p.head_dim, row, 1}};
    };
    const int64_t queries = p.max_seqlen_q, keys = p.max_seqlen_k;
    const OnStream on(*this, stream);
    const Tensor q(*this, view(p.q, queries, p.heads, p.q_row_stride), type);
    const Tensor k(*this, view(p.k, keys, p.heads_k, p.k_row_stride), type);
    const Tensor v(*this, view(p.v, keys, p.heads_k, p.v_row_stride), type);
    double scale = static_cast<double>(p.softmax_scale);
    int64_t max_q = 0, max_k = 0;
    Tensor out(*this), lse(*this), cu_q(*this), cu_k(*this), seed(*this), offset(*this), mask(*this);
    check(forward_(q.handle, k.handle, v.handle, nullptr, p.softmax_lse != nullptr, 0.0, p.causal, 0, &scale,
                   &out.handle, &lse.handle, &cu_q.handle, &cu_k.handle, &max_q, &max_k, &seed.handle,
                   &offset.handle, &mask.handle),
          name);
    copy(name, view(p.out, queries, p.heads, p.o_row_stride), type, out);
    if (p.softmax_lse != nullptr) {  // [heads, total_q], seen as [batch, heads, length]
      const std::vector<int64_t> sizes = {p.batch, p.heads, queries};
      copy_lse(name, {p.softmax_lse, sizes, {queries, p.total_q, 1}}, sizes, lse);
    }
  }

  void with_kvcache(CUstream_st*, const flash_attn_kvcache_params&) override {
    unsupported("flash_attn_with_kvcache", "has no cache");
  }

 private:
  int32_t (*forward_)(Handle q, Handle k, Handle v, Handle* bias, int32_t with_lse, double dropout,
                      int32_t causal, int32_t debug_mask, double* scale, Handle* out, Handle* lse,
                      Handle* cu_seqlens_q, Handle* cu_seqlens_k, int64_t* max_q, int64_t* max_k,
                      Handle* seed, Handle* offset, Handle* mask) = nullptr;
};

}  // namespace

std::unique_ptr<Provider> open_cudnn(const char* library, int32_t device) {
  return std::make_unique<Cudnn>(library, device);
}

}  // namespace flash_attn
