#include "products.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "cublaslt.hpp"

namespace topv::cuda {
namespace {

/// What cuBLASLt recommends for Hopper.
constexpr uint64_t kWorkspace = 32 << 20;
/// Prompts have any length: forget the plans when there are that many.
constexpr size_t kMostPlans = 4096;

cudaDataType_t type_of(int32_t dtype) { return dtype == TOPV_F32 ? CUDA_R_32F : CUDA_R_16BF; }

/// The largest power of two up to 256 that the address is a multiple of.
uint32_t alignment(const void* address) {
  const auto bits = reinterpret_cast<uintptr_t>(address) | 256;
  return static_cast<uint32_t>(bits & -bits);
}

/// One shape of products: its description for cuBLASLt, and the algorithm that it takes for the best.
class Plan {
 public:
  // cuBLASLt counts by columns: a row-major c [m, n] is its [n, m], and c = a w^T is its c = op_T(w) op_N(a).
  Plan(const lt::Library& library, lt::Handle handle, const Product& p) : library_(library) {
    const cudaDataType_t in = type_of(p.dtype), out = type_of(p.c_dtype);
    const auto u = [](int64_t size) { return static_cast<uint64_t>(size); };
    check(library_.desc_create(&desc_, lt::kCompute32F, CUDA_R_32F));
    set(lt::kDescTransA, lt::kOpT);
    set(lt::kDescTransB, lt::kOpN);
    check(library_.layout_create(&w_, in, u(p.k), u(p.n), p.ldw));
    check(library_.layout_create(&a_, in, u(p.k), u(p.m), p.lda));
    check(library_.layout_create(&c_, out, u(p.n), u(p.m), p.ldc));
    choose(handle, p);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    if (desc_ != nullptr) library_.desc_destroy(desc_);
    for (const lt::Layout layout : {w_, a_, c_}) {
      if (layout != nullptr) library_.layout_destroy(layout);
    }
  }

  bool found() const { return found_; }

  void run(lt::Handle handle, const Run& run, const Product& p) const {
    const float one = 1, beta = p.accumulate ? 1.0f : 0.0f;
    const size_t bytes = best_.workspace;
    void* workspace = bytes > 0 ? run.scratch.take<unsigned char>(static_cast<int64_t>(bytes)) : nullptr;
    if (run.launches != nullptr) ++*run.launches;
    check(library_.matmul(handle, desc_, &one, p.w, w_, p.a, a_, &beta, p.c, c_, p.c, c_, &best_.algorithm,
                          workspace, bytes, run.stream));
  }

 private:
  void choose(lt::Handle handle, const Product& p) {
    lt::Preference preference = nullptr;
    check(library_.preference_create(&preference));
    const auto prefer = [&](lt::PreferenceAttribute attribute, auto value) {
      check(library_.preference_set(preference, attribute, &value, sizeof value));
    };
    prefer(lt::kMaxWorkspaceBytes, kWorkspace);
    prefer(lt::kReductionSchemeMask, lt::kReduceInComputeType);
    prefer(lt::kMinAlignmentA, alignment(p.w));
    prefer(lt::kMinAlignmentB, alignment(p.a));
    prefer(lt::kMinAlignmentC, alignment(p.c));
    prefer(lt::kMinAlignmentD, alignment(p.c));
    int count = 0;
    const lt::Status status =
        library_.heuristic(handle, desc_, w_, a_, c_, c_, preference, 1, &best_, &count);
    library_.preference_destroy(preference);
    if (status != lt::kNotSupported) check(status);
    found_ = status == lt::kSuccess && count > 0 && best_.state == lt::kSuccess;
  }

  void set(lt::DescAttribute attribute, lt::Operation value) {
    check(library_.desc_set(desc_, attribute, &value, sizeof value));
  }
  void check(lt::Status status) const { library_.check(status, "gemm"); }

  const lt::Library& library_;
  lt::MatmulDesc desc_ = nullptr;
  lt::Layout w_ = nullptr, a_ = nullptr, c_ = nullptr;
  lt::HeuristicResult best_ = {};
  bool found_ = false;
};

}  // namespace

struct Products::State {
  using Key = std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int32_t, int32_t, bool,
                         uint32_t, uint32_t, uint32_t>;

  const lt::Library& library = lt::open();
  lt::Handle handle = nullptr;
  std::map<Key, Plan> plans;

  State() { library.check(library.create(&handle), "gemm"); }
  ~State() {
    plans.clear();
    library.destroy(handle);
  }

  const Plan& plan(const Product& p) {
    const Key key = {p.m,     p.n,       p.k,          p.lda,          p.ldw,          p.ldc,
                     p.dtype, p.c_dtype, p.accumulate, alignment(p.a), alignment(p.w), alignment(p.c)};
    const auto known = plans.find(key);
    if (known != plans.end()) return known->second;
    if (plans.size() >= kMostPlans) plans.clear();
    return plans.try_emplace(key, library, handle, p).first->second;
  }
};

Products::Products() = default;
Products::~Products() = default;

bool Products::multiply(const Run& run, const Product& product) {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  const Plan& plan = state_->plan(product);
  if (plan.found()) plan.run(state_->handle, run, product);
  return plan.found();
}

std::string Products::version() {
  try {
    const size_t number = lt::open().version();  // 130101: 13.1.1
    return std::to_string(number / 10000) + '.' + std::to_string(number / 100 % 100) + '.' +
           std::to_string(number % 100);
  } catch (const Error&) {
    return "";
  }
}

}  // namespace topv::cuda
