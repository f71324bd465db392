// A stand-in for libtorch_cuda.so in tests: the C functions that providers "torch" and "cudnn" call, over host memory. Its
// operators check their arguments as PyTorch's do, and compute in double precision.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "reference/dtype.hpp"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum ScalarType { kInt = 3, kHalf = 5, kFloat = 6, kBFloat16 = 15 };
constexpr int32_t kCuda = 1;

struct Tensor {
  void* data;
  std::vector<int64_t> sizes, strides;
  int32_t dtype;
  std::vector<unsigned char> own = {};

  int64_t size(size_t dim) const { return sizes[dim]; }
};

std::string words;

/// The exit status of a function: 0, or 1 and words where the body says what is wrong.
int32_t guarded(const std::function<std::string()>& body) {
  words = body();
  return words.empty() ? 0 : 1;
}

double load(const Tensor& t, int64_t i) {
  return reference::at(t.data, t.dtype == kFloat ? TOPV_F32 : t.dtype == kHalf ? TOPV_F16 : TOPV_BF16, i);
}

void store(const Tensor& t, int64_t i, double value) {
  const auto single = static_cast<float>(value);
  if (t.dtype == kFloat) static_cast<float*>(t.data)[i] = single;
  if (t.dtype == kHalf) static_cast<_Float16*>(t.data)[i] = static_cast<_Float16>(value);
  if (t.dtype != kBFloat16) return;
  uint32_t bits;
  std::memcpy(&bits, &single, 4);
  static_cast<uint16_t*>(t.data)[i] = static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// A result; strides: of the dimensions in this order, outermost first, without gaps.
Tensor* make(std::vector<int64_t> sizes, const std::vector<size_t>& order, int32_t dtype) {
  std::vector<int64_t> strides(sizes.size());
  int64_t count = 1;
  for (size_t i = order.size(); i-- > 0; count *= sizes[order[i]]) strides[order[i]] = count;
  auto* const t = new Tensor{nullptr, std::move(sizes), std::move(strides), dtype,
                             std::vector<unsigned char>(static_cast<size_t>(4 * count) + 1)};
  t->data = t->own.data();
  return t;
}

/// Where element (token, head, 0) of a sequence lies.
using Place = std::function<int64_t(int64_t token, int64_t head)>;

struct Problem {
  int64_t queries, keys, heads, heads_k, dim;
  double scale;
  bool causal, first_aligned;  ///< the first query with the first key, not the last with the last
  int64_t left = -1, right = -1;
};

void attend(const Problem& p, const Tensor& q, const Place& q_at, const Tensor& k, const Place& k_at,
            const Tensor& v, const Place& v_at, const Tensor& out, const Place& out_at,
            const std::function<void(int64_t, int64_t, double)>& lse) {
  for (int64_t h = 0; h < p.heads; ++h) {
    for (int64_t i = 0; i < p.queries; ++i) {
      const int64_t head = h / (p.heads / p.heads_k), own = p.first_aligned ? i : i + p.keys - p.queries;
      std::vector<double> sums(static_cast<size_t>(p.dim));
      double total = 0;
      for (int64_t j = 0; j < p.keys; ++j) {
        if ((p.causal && j > own) || (p.left >= 0 && j < own - p.left) || (p.right >= 0 && j > own + p.right))
          continue;
        double score = 0;
        for (int64_t d = 0; d < p.dim; ++d) {
          score += load(q, q_at(i, h) + d) * load(k, k_at(j, head) + d);
        }
        const double weight = std::exp(score * p.scale);  // the tests' scores are small
        total += weight;
        for (int64_t d = 0; d < p.dim; ++d)
          sums[static_cast<size_t>(d)] += weight * load(v, v_at(j, head) + d);
      }
      for (int64_t d = 0; d < p.dim; ++d)
        store(out, out_at(i, h) + d, total > 0 ? sums[static_cast<size_t>(d)] / total : 0);
      lse(h, i, total > 0 ? std::log(total) : -std::numeric_limits<double>::infinity());
    }
  }
}

bool is(const Tensor& t, int32_t dtype, size_t dims) {
  return t.data != nullptr && t.dtype == dtype && t.sizes.size() == dims && t.strides.back() == 1;
}

int32_t flash(Tensor* q, Tensor* k, Tensor* v, Tensor** cu_q, Tensor** cu_k, int64_t max_q, int64_t max_k,
              double dropout, int32_t causal, double* scale, int64_t* left, int64_t* right, Tensor** used,
              Tensor** table, Tensor** results[5]) {
  return guarded([&]() -> std::string {
    const size_t key_dims = table != nullptr ? 4 : 3;
    if (q->dtype != kHalf && q->dtype != kBFloat16) return "q is neither float16 nor bfloat16";
    if (!is(*q, q->dtype, 3) || !is(*k, q->dtype, key_dims) || !is(*v, q->dtype, key_dims)) return "q, k, v";
    if (cu_q == nullptr || cu_k == nullptr || !is(**cu_q, kInt, 1) || !is(**cu_k, kInt, 1))
      return "cu_seqlens";
    const int64_t batch = (*cu_q)->size(0) - 1;
    if ((*cu_k)->size(0) != batch + 1) return "cu_seqlens_k has another length";
    if (table != nullptr &&
        (!is(**table, kInt, 2) || (*table)->size(0) != batch || k->size(1) % 256 != 0 || used == nullptr))
      return "pages";
    if (used != nullptr && (!is(**used, kInt, 1) || (*used)->size(0) != batch)) return "seqused_k";
    if (dropout != 0 || scale == nullptr || left == nullptr || right == nullptr)
      return "dropout, scale, window";
    Tensor* const out = make(q->sizes, {0, 1, 2}, q->dtype);
    Tensor* const lse = make({q->size(1), q->size(0)}, {0, 1}, kFloat);
    *results[0] = out;
    *results[1] = lse;
    for (int i = 2; i < 5; ++i) *results[i] = make({}, {}, kFloat);
    const auto number = [](Tensor** t, int64_t i) { return static_cast<const int32_t*>((*t)->data)[i]; };
    for (int64_t b = 0; b < batch; ++b) {
      const int64_t first_q = number(cu_q, b), first_k = table != nullptr ? 0 : number(cu_k, b);
      const int64_t keys = used != nullptr ? number(used, b) : number(cu_k, b + 1) - first_k;
      const Problem p = {number(cu_q, b + 1) - first_q,
                         keys,
                         q->size(1),
                         k->size(key_dims - 2),
                         q->size(2),
                         *scale,
                         causal != 0,
                         false,
                         *left,
                         *right};
      if (p.queries > max_q || keys > max_k) return "max_seqlen";
      const auto rows = [](const Tensor& t, int64_t first) {
        return [&t, first](int64_t i, int64_t h) { return (first + i) * t.strides[0] + h * t.strides[1]; };
      };
      const auto pages = [&](const Tensor& t) -> Place {
        if (table == nullptr) return rows(t, first_k);
        return [&t, table, b, number](int64_t j, int64_t h) {
          const int64_t page = number(table, b * (*table)->size(1) + j / t.size(1));
          return page * t.strides[0] + j % t.size(1) * t.strides[1] + h * t.strides[2];
        };
      };
      attend(p, *q, rows(*q, first_q), *k, pages(*k), *v, pages(*v), *out, rows(*out, first_q),
             [&](int64_t h, int64_t i, double x) { store(*lse, h * q->size(0) + first_q + i, x); });
    }
    return "";
  });
}

}  // namespace

// ---- tensors

EXPORT int32_t aoti_torch_dtype_float16() { return kHalf; }
EXPORT int32_t aoti_torch_dtype_bfloat16() { return kBFloat16; }
EXPORT int32_t aoti_torch_dtype_float32() { return kFloat; }
EXPORT int32_t aoti_torch_dtype_int32() { return kInt; }
EXPORT int32_t aoti_torch_device_type_cuda() { return kCuda; }

EXPORT int32_t aoti_torch_create_tensor_from_blob(void* data, int64_t dims, const int64_t* sizes,
                                                  const int64_t* strides, int64_t offset, int32_t dtype,
                                                  int32_t device_type, int32_t device, Tensor** out) {
  return guarded([&]() -> std::string {
    if (offset != 0 || device_type != kCuda || device != 0) return "offset, device";
    *out = new Tensor{data, {sizes, sizes + dims}, {strides, strides + dims}, dtype};
    return "";
  });
}
EXPORT int32_t aoti_torch_delete_tensor_object(Tensor* t) {
  delete t;
  return 0;
}
EXPORT int32_t aoti_torch_get_data_ptr(Tensor* t, void** out) {
  *out = t->data;
  return 0;
}
EXPORT int32_t aoti_torch_get_dim(Tensor* t, int64_t* out) {
  *out = static_cast<int64_t>(t->sizes.size());
  return 0;
}
EXPORT int32_t aoti_torch_get_sizes(Tensor* t, int64_t** out) {
  *out = t->sizes.data();
  return 0;
}
EXPORT int32_t aoti_torch_get_strides(Tensor* t, int64_t** out) {
  *out = t->strides.data();
  return 0;
}
EXPORT int32_t aoti_torch_copy_(Tensor* to, Tensor* from, int32_t) {
  return guarded([&]() -> std::string {
    if (to->sizes != from->sizes || to->dtype != from->dtype) return "copy_: sizes or dtypes differ";
    int64_t count = 1;
    for (const int64_t size : to->sizes) count *= size;
    for (int64_t n = 0; n < count; ++n) {
      int64_t rest = n, target = 0, source = 0;
      for (size_t d = to->sizes.size(); d-- > 0; rest /= to->sizes[d]) {
        target += rest % to->sizes[d] * to->strides[d];
        source += rest % to->sizes[d] * from->strides[d];
      }
      store(*to, target, load(*from, source));
    }
    return "";
  });
}
EXPORT int32_t aoti_torch_create_cuda_stream_guard(void*, int32_t, int** out) {
  *out = new int(0);
  return 0;
}
EXPORT int32_t aoti_torch_delete_cuda_stream_guard(int* guard) {
  delete guard;
  return 0;
}
EXPORT const char* torch_exception_get_what_without_backtrace() { return words.c_str(); }

// ---- operators

EXPORT int32_t aoti_torch_cuda__flash_attention_forward(Tensor* q, Tensor* k, Tensor* v, Tensor** cu_q,
                                                        Tensor** cu_k, int64_t max_q, int64_t max_k,
                                                        double dropout, int32_t causal, int32_t,
                                                        double* scale, int64_t* left, int64_t* right,
                                                        Tensor** used, Tensor**, Tensor** out, Tensor** lse,
                                                        Tensor** seed, Tensor** offset, Tensor** mask) {
  Tensor** results[] = {out, lse, seed, offset, mask};
  return flash(q, k, v, cu_q, cu_k, max_q, max_k, dropout, causal, scale, left, right, used, nullptr,
               results);
}
EXPORT int32_t aoti_torch_cuda__flash_attention_forward_v2(Tensor* q, Tensor* k, Tensor* v, Tensor** cu_q,
                                                           Tensor** cu_k, int64_t max_q, int64_t max_k,
                                                           double dropout, int32_t causal, int32_t,
                                                           double* scale, int64_t* left, int64_t* right,
                                                           Tensor** used, Tensor**, Tensor** table, int64_t*,
                                                           Tensor** out, Tensor** lse, Tensor** seed,
                                                           Tensor** offset, Tensor** mask) {
  Tensor** results[] = {out, lse, seed, offset, mask};
  return flash(q, k, v, cu_q, cu_k, max_q, max_k, dropout, causal, scale, left, right, used, table, results);
}

EXPORT int32_t aoti_torch_cuda__scaled_dot_product_cudnn_attention(
    Tensor* q, Tensor* k, Tensor* v, Tensor** bias, int32_t with_lse, double dropout, int32_t causal, int32_t,
    double* scale, Tensor** out, Tensor** lse, Tensor** cu_q, Tensor** cu_k, int64_t* max_q, int64_t* max_k,
    Tensor** seed, Tensor** offset, Tensor** mask) {
  return guarded([&]() -> std::string {
    if (q->dtype != kHalf && q->dtype != kBFloat16) return "q is neither float16 nor bfloat16";
    if (!is(*q, q->dtype, 4) || !is(*k, q->dtype, 4) || !is(*v, q->dtype, 4)) return "q, k, v";
    if (q->size(0) != k->size(0) || k->sizes != v->sizes) return "sizes";
    if (bias != nullptr || dropout != 0 || scale == nullptr) return "bias, dropout, scale";
    *out = make(q->sizes, {0, 2, 1, 3}, q->dtype);
    *lse = make({q->size(0), q->size(1), q->size(2), 1}, {0, 2, 1, 3}, kFloat);
    for (Tensor** const one : {cu_q, cu_k, seed, offset, mask}) *one = make({}, {}, kFloat);
    *max_q = q->size(2);
    *max_k = k->size(2);
    const Problem p = {q->size(2), k->size(2), q->size(1), k->size(1), q->size(3), *scale, causal != 0, true};
    for (int64_t b = 0; b < q->size(0); ++b) {
      const auto place = [b](const Tensor& t) {
        return
            [&t, b](int64_t i, int64_t h) { return b * t.strides[0] + h * t.strides[1] + i * t.strides[2]; };
      };
      attend(p, *q, place(*q), *k, place(*k), *v, place(*v), **out, place(**out),
             [&](int64_t h, int64_t i, double x) {
               if (with_lse != 0) store(**lse, place(**lse)(i, h), x);
             });
    }
    return "";
  });
}

// ---- the CUDA runtime

EXPORT int cudaSetDevice(int device) { return device == 0 ? 0 : 101; }
EXPORT int cudaMalloc(void** out, size_t bytes) {
  *out = std::malloc(bytes);
  return *out != nullptr ? 0 : 2;
}
EXPORT int cudaFree(void* memory) {
  std::free(memory);
  return 0;
}
EXPORT int cudaMemcpyAsync(void* to, const void* from, size_t bytes, int, void*) {
  std::memcpy(to, from, bytes);
  return 0;
}
EXPORT int cudaStreamSynchronize(void*) { return 0; }
EXPORT const char* cudaGetErrorString(int error) {
  return error == 2 ? "out of memory" : "invalid device ordinal";
}
