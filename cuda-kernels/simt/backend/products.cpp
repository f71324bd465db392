// Matrix products of the emulated device: plain loops of the host, in the order of the stream.
#include "products.hpp"

#include "simt/cuda_runtime.hpp"
#include "simt/types.hpp"

namespace topv::cuda {
namespace {

float to_float(float x) { return x; }
float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }
void set(float& y, float x) { y = x; }
void set(__nv_bfloat16& y, float x) { y = __float2bfloat16_rn(x); }

template <typename T, typename C>
void multiply(const Product& p) {
  const T *a = static_cast<const T*>(p.a), *w = static_cast<const T*>(p.w);
  C* const c = static_cast<C*>(p.c);
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < p.n; ++j) {
      float sum = 0;
      for (int64_t k = 0; k < p.k; ++k) sum += to_float(a[i * p.lda + k]) * to_float(w[j * p.ldw + k]);
      C& at = c[i * p.ldc + j];
      set(at, p.accumulate ? sum + to_float(at) : sum);
    }
  }
}

}  // namespace

struct Products::State {};

Products::Products() = default;
Products::~Products() = default;

bool Products::multiply(const Run& run, const Product& p) {
  if (p.k % 31 == 0) return false;  // a library may lack a form: gemm must do without
  simt::enqueue(run.stream, [p] {
    if (p.dtype == TOPV_F32) {
      cuda::multiply<float, float>(p);
    } else if (p.c_dtype == TOPV_F32) {
      cuda::multiply<__nv_bfloat16, float>(p);
    } else {
      cuda::multiply<__nv_bfloat16, __nv_bfloat16>(p);
    }
  });
  return true;
}

std::string Products::version() { return "emulated"; }

}  // namespace topv::cuda
