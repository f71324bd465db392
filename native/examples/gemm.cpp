// How a C++ program uses topv: open a device, pack a weight once, multiply.
//   g++ -std=c++17 -I<prefix>/include gemm.cpp -L<prefix>/lib -ltopv -Wl,-rpath,<prefix>/lib
#include <cmath>
#include <cstdio>
#include <vector>

#include "topv/topv.hpp"

int main() try {
  const topv::Context context("cpu");
  std::printf("%s\n", context.describe().c_str());

  // A layer with 3 outputs and 4 inputs. The weight may be read in place, so it must outlive the
  // topv::Weight.
  const int64_t m = 2, n = 3, k = 4;
  const std::vector<float> w = {1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1};
  const std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  const topv::Weight weight = context.weight(w.data(), n, k, TOPV_F32, TOPV_F32);

  // On a GPU the operands live in device memory; on the CPU this costs a copy and reads the same.
  const topv::Buffer a = context.alloc(m * k * 4), c = context.alloc(m * n * 4);
  context.copy(a.data(), x.data(), a.bytes(), TOPV_HOST_TO_DEVICE);

  topv_gemm_params gemm = {};
  gemm.a = a.data();
  gemm.w = weight.get();
  gemm.c = c.data();
  gemm.m = m;
  gemm.lda = k;
  gemm.ldc = n;
  gemm.c_dtype = TOPV_F32;
  context.gemm(gemm);

  std::vector<float> y(m * n);
  context.copy(y.data(), c.data(), c.bytes(), TOPV_DEVICE_TO_HOST);
  const std::vector<float> expected = {1, 2, 10, 5, 6, 26};
  for (size_t i = 0; i < y.size(); ++i) std::printf("%g%s", y[i], i % n == n - 1 ? "\n" : " ");
  return y == expected ? 0 : 1;
} catch (const topv::Exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
