#include "cpu/common/matmul.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace topv::cpu {
namespace {

using dnnl::memory;
using tag = memory::format_tag;

// More shapes than a model has at one prompt length; an entry holds a few hundred bytes and shares compiled
// code.
constexpr size_t kMostPrimitives = 512;

// Layouts do not depend on the number of rows from about here on (checked by measurement), so one suits all.
constexpr int64_t kTypicalRows = 256;

memory::data_type type_of(int32_t dtype) {
  return dtype == TOPV_F32 ? memory::data_type::f32 : memory::data_type::bf16;
}

dnnl::primitive_attr attributes(const MatmulShape& shape) {
  dnnl::post_ops post;
  switch (shape.activation) {
    case TOPV_ACTIVATION_GELU:
      post.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0, 0);
      break;
    case TOPV_ACTIVATION_GELU_TANH:
      post.append_eltwise(dnnl::algorithm::eltwise_gelu_tanh, 0, 0);
      break;
    case TOPV_ACTIVATION_QUICK_GELU:
      post.append_eltwise(dnnl::algorithm::eltwise_swish, 1.702f, 0);
      break;
    default:
      break;
  }
  if (shape.accumulate) post.append_sum(1.0f);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::matmul::primitive_desc description(const dnnl::engine& engine, const MatmulShape& shape,
                                         const memory::desc& w) {
  const memory::desc a({shape.m, shape.k}, type_of(shape.dtype), {shape.lda, 1});
  const memory::desc c({shape.m, shape.n}, type_of(shape.c_dtype), {shape.ldc, 1});
  const memory::desc bias =
      shape.bias ? memory::desc({1, shape.n}, memory::data_type::f32, tag::ab) : memory::desc();
  const dnnl::matmul::primitive_desc found(engine, a, w, bias, c, attributes(shape));
  // Its reference code is a thousand times slower; better no answer than that one.
  if (std::strncmp(found.impl_info_str(), "ref", 3) == 0) {
    fail(TOPV_INTERNAL, "gemm: oneDNN offers only its reference code for m = %lld, n = %lld, k = %lld",
         static_cast<long long>(shape.m), static_cast<long long>(shape.n), static_cast<long long>(shape.k));
  }
  return found;
}

}  // namespace

memory::desc Matmul::weight_layout(int64_t n, int64_t k, int32_t dtype) {
  const MatmulShape shape = {kTypicalRows, n, k, k, n, dtype, TOPV_F32, TOPV_ACTIVATION_NONE, false, false};
  return description(engine_, shape, memory::desc({k, n}, type_of(dtype), tag::any)).weights_desc();
}

memory Matmul::pack(const void* rows, int64_t n, int64_t k, int32_t dtype) {
  memory source({{k, n}, type_of(dtype), tag::ba}, engine_, const_cast<void*>(rows));
  memory packed(weight_layout(n, k, dtype), engine_);
  dnnl::reorder(source, packed).execute(stream_, source, packed);
  stream_.wait();
  return packed;
}

Matmul::Primitive Matmul::create(const MatmulShape& shape) {
  const auto found = description(engine_, shape, weight_layout(shape.n, shape.k, shape.dtype));
  Primitive made;
  made.matmul = dnnl::matmul(found);
  made.a = found.src_desc();
  made.bias = found.bias_desc();
  made.c = found.dst_desc();
  made.scratch = found.scratchpad_desc();
  made.scratch_bytes = made.scratch.get_size();
  return made;
}

Matmul::Primitive& Matmul::primitive(const MatmulShape& shape) {
  auto found = primitives_.find(shape);
  if (found == primitives_.end()) {
    if (primitives_.size() >= kMostPrimitives) {
      const auto older = [](const auto& x, const auto& y) { return x.second.used < y.second.used; };
      primitives_.erase(std::min_element(primitives_.begin(), primitives_.end(), older));
    }
    found = primitives_.emplace(shape, create(shape)).first;
  }
  found->second.used = ++uses_;
  return found->second;
}

void Matmul::run(const MatmulShape& shape, const void* a, const memory& w, const float* bias, void* c,
                 void* scratch) {
  Primitive& p = primitive(shape);
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, memory(p.a, engine_, const_cast<void*>(a))},
      {DNNL_ARG_WEIGHTS, w},
      {DNNL_ARG_DST, memory(p.c, engine_, c)},
      {DNNL_ARG_SCRATCHPAD, memory(p.scratch, engine_, scratch)},
  };
  if (shape.bias) arguments.emplace(DNNL_ARG_BIAS, memory(p.bias, engine_, const_cast<float*>(bias)));
  p.matmul.execute(stream_, arguments);
  stream_.wait();
}

}  // namespace topv::cpu
