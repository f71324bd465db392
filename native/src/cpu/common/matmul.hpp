// Products by oneDNN.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "cpu/common/weight.hpp"

namespace topv::cpu {

/// What a primitive is made for. oneDNN compiles code for each (0.5 .. 4 ms), so they are kept. A number of rows left open
/// until run time would spare that, but there oneDNN 3.11 has only its reference code for float32, and for bfloat16 it is
/// slower on small matrices (measured: 46 against 28 us for 617 x 192 x 192).
struct MatmulShape {
  int64_t m, n, k, lda, ldc;
  int32_t dtype;    ///< of a and w: F32 or BF16
  int32_t c_dtype;  ///< F32 or BF16
  int32_t activation;
  bool bias, accumulate;

  auto key() const { return std::tie(m, n, k, lda, ldc, dtype, c_dtype, activation, bias, accumulate); }
  bool operator<(const MatmulShape& other) const { return key() < other.key(); }
};

class Matmul {
 public:
  Matmul() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

  /// Row-major rows [n, k] of dtype in oneDNN's own layout.
  dnnl::memory pack(const void* rows, int64_t n, int64_t k, int32_t dtype);

  /// Bytes of scratch that run() wants.
  size_t scratch_bytes(const MatmulShape& shape) { return primitive(shape).scratch_bytes; }

  void run(const MatmulShape& shape, const void* a, const dnnl::memory& w, const float* bias, void* c,
           void* scratch);

 private:
  struct Primitive {
    dnnl::matmul matmul;
    dnnl::memory::desc a, bias, c, scratch;
    size_t scratch_bytes = 0;
    uint64_t used = 0;
  };

  Primitive& primitive(const MatmulShape& shape);
  Primitive create(const MatmulShape& shape);
  dnnl::memory::desc weight_layout(int64_t n, int64_t k, int32_t dtype);

  dnnl::engine engine_;
  dnnl::stream stream_;
  std::map<MatmulShape, Primitive> primitives_;
  uint64_t uses_ = 0;
};

}  // namespace topv::cpu
