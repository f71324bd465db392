// The part of cuBLASLt's interface that topv uses, declared here and looked up at run time, so that neither building nor
// loading this library needs cuBLAS. Names and values are those of cublasLt.h 13.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/cuda.hpp"

namespace topv::cuda::lt {

using Handle = void*;
using MatmulDesc = void*;
using Layout = void*;
using Preference = void*;

enum Status : int { kSuccess = 0, kNotSupported = 15 };
enum ComputeType : int { kCompute32F = 68 };
enum Operation : int32_t { kOpN = 0, kOpT = 1 };
enum DescAttribute : int { kDescTransA = 3, kDescTransB = 4 };
enum PreferenceAttribute : int {
  kMaxWorkspaceBytes = 1,
  kReductionSchemeMask = 3,
  kMinAlignmentA = 5,
  kMinAlignmentB = 6,
  kMinAlignmentC = 7,
  kMinAlignmentD = 8
};
/// Where k is split, the parts are added in float32.
constexpr uint32_t kReduceInComputeType = 2;

struct Algorithm {
  uint64_t data[8];
};
struct HeuristicResult {
  Algorithm algorithm;
  size_t workspace;
  Status state;
  float waves;
  int reserved[4];
};

/// X(member, name in the library, result, arguments...)
#define TOPV_CUBLASLT(X)                                                                                     \
  X(create, cublasLtCreate, Status, Handle*)                                                                 \
  X(destroy, cublasLtDestroy, Status, Handle)                                                                \
  X(status_string, cublasLtGetStatusString, const char*, Status)                                             \
  X(version, cublasLtGetVersion, size_t)                                                                     \
  X(desc_create, cublasLtMatmulDescCreate, Status, MatmulDesc*, ComputeType, cudaDataType_t)                 \
  X(desc_destroy, cublasLtMatmulDescDestroy, Status, MatmulDesc)                                             \
  X(desc_set, cublasLtMatmulDescSetAttribute, Status, MatmulDesc, DescAttribute, const void*, size_t)        \
  X(layout_create, cublasLtMatrixLayoutCreate, Status, Layout*, cudaDataType_t, uint64_t, uint64_t, int64_t) \
  X(layout_destroy, cublasLtMatrixLayoutDestroy, Status, Layout)                                             \
  X(preference_create, cublasLtMatmulPreferenceCreate, Status, Preference*)                                  \
  X(preference_destroy, cublasLtMatmulPreferenceDestroy, Status, Preference)                                 \
  X(preference_set, cublasLtMatmulPreferenceSetAttribute, Status, Preference, PreferenceAttribute,           \
    const void*, size_t)                                                                                     \
  X(heuristic, cublasLtMatmulAlgoGetHeuristic, Status, Handle, MatmulDesc, Layout, Layout, Layout, Layout,   \
    Preference, int, HeuristicResult*, int*)                                                                 \
  X(matmul, cublasLtMatmul, Status, Handle, MatmulDesc, const void*, const void*, Layout, const void*,       \
    Layout, const void*, const void*, Layout, void*, Layout, const Algorithm*, void*, size_t, cudaStream_t)

struct Library {
#define TOPV_MEMBER(member, name, Result, ...) Result (*member)(__VA_ARGS__);
  TOPV_CUBLASLT(TOPV_MEMBER)
#undef TOPV_MEMBER

  /// Throws TOPV_BACKEND_ERROR with cuBLASLt's own words unless it is kSuccess.
  void check(Status status, const char* what) const;
};

/// Opens libcublasLt.so.13 once per process. Looks at the environment variable TOPV_CUBLASLT (a file; alone, where set),
/// then in CUDA_HOME/lib64, on the loader's path, in /usr/local/cuda/lib64 and in the Python packages that PyTorch
/// brings. Throws TOPV_UNSUPPORTED that names these places.
const Library& open();

}  // namespace topv::cuda::lt
