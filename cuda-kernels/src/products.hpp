// Matrix products by a library: cuBLASLt, or plain loops in the emulation.
#pragma once

#include <memory>
#include <string>

#include "run.hpp"

namespace topv::cuda {

/// c = a w^T + (accumulate ? c : 0), sums in float32.
struct Product {
  const void* a;  ///< [m, k]
  const void* w;  ///< [n, k]
  void* c;        ///< [m, n]
  int64_t m, n, k, lda, ldw, ldc;
  int32_t dtype;    ///< of a and w: F32 (products in float32, not TF32) or BF16
  int32_t c_dtype;  ///< F32, or dtype
  bool accumulate;
};

/// The library, opened at the first use, and what it is best at for the shapes seen.
class Products {
 public:
  Products();
  ~Products();

  /// Queues a product. False where the library has no form for it. Throws TOPV_UNSUPPORTED, which says where it was
  /// looked for, if there is no library.
  bool multiply(const Run& run, const Product& product);

  /// Of the library, "13.1.1"; empty where there is none.
  std::string version();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace topv::cuda
