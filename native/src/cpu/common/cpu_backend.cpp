// The CPU backend: memory and streams are trivial; an operation runs on the caller and its team before it
// returns.
#include <omp.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "cpu/common/describe.hpp"
#include "cpu/common/gemm.hpp"
#include "cpu/common/level.hpp"
#include "guard.hpp"
#include "topv/backend.hpp"

namespace topv::cpu {
namespace {

constexpr size_t kAlignment = 64;

/// Work is done when a call returns, so an event is reached where it is recorded.
struct CpuEvent final : topv_event {
  std::chrono::steady_clock::time_point reached;
};

class CpuBackend final : public Backend {
 public:
  CpuBackend(Level level, int threads)
      : level_(level), kernels_(kernels_of(level)), team_(threads), gemm_(level, kernels_, team_) {}

  const char* message() const noexcept override { return message_.c_str(); }

  topv_status describe(char* buffer, int64_t capacity, int64_t* needed) noexcept override {
    return guard(message_, [&] {
      const std::string text = cpu::describe(level_, team_.threads());
      if (needed != nullptr) *needed = static_cast<int64_t>(text.size()) + 1;
      if (capacity <= 0) return;
      const size_t length = std::min(text.size(), static_cast<size_t>(capacity - 1));
      std::memcpy(buffer, text.data(), length);
      buffer[length] = '\0';
    });
  }

  topv_status alloc(int64_t bytes, void** out) noexcept override {
    return guard(message_, [&] {
      const size_t rounded = (static_cast<size_t>(bytes) / kAlignment + 1) * kAlignment;
      *out = std::aligned_alloc(kAlignment, rounded);
      if (*out == nullptr)
        fail(TOPV_OUT_OF_MEMORY, "alloc: no memory for %lld bytes", static_cast<long long>(bytes));
    });
  }

  topv_status free(void* memory) noexcept override {
    message_.clear();
    std::free(memory);
    return TOPV_OK;
  }

  topv_status host_alloc(int64_t bytes, void** out) noexcept override { return alloc(bytes, out); }
  topv_status host_free(void* memory) noexcept override { return free(memory); }

  topv_status copy(topv_stream*, void* dst, const void* src, int64_t bytes,
                   topv_copy_kind) noexcept override {
    message_.clear();
    if (bytes > 0) std::memcpy(dst, src, static_cast<size_t>(bytes));
    return TOPV_OK;
  }

  topv_status stream_create(topv_stream** out) noexcept override {
    return guard(message_, [&] { *out = new topv_stream; });
  }

  topv_status stream_wrap(void*, topv_stream**) noexcept override {
    return guard(message_,
                 [] { fail(TOPV_UNSUPPORTED, "stream_wrap: the cpu backend has no native streams"); });
  }

  topv_status stream_native(topv_stream*, void**) noexcept override {
    return guard(message_,
                 [] { fail(TOPV_UNSUPPORTED, "stream_native: the cpu backend has no native streams"); });
  }

  topv_status stream_synchronize(topv_stream*) noexcept override {
    message_.clear();
    return TOPV_OK;
  }

  topv_status stream_destroy(topv_stream* stream) noexcept override {
    message_.clear();
    delete stream;
    return TOPV_OK;
  }

  topv_status event_create(topv_event** out) noexcept override {
    return guard(message_, [&] { *out = new CpuEvent; });
  }
  topv_status event_wrap(void*, topv_event**) noexcept override {
    return guard(message_,
                 [] { fail(TOPV_UNSUPPORTED, "event_wrap: the cpu backend has no native events"); });
  }
  topv_status event_record(topv_stream*, topv_event* event) noexcept override {
    message_.clear();
    static_cast<CpuEvent*>(event)->reached = std::chrono::steady_clock::now();
    return TOPV_OK;
  }
  topv_status event_wait(topv_stream*, topv_event*) noexcept override {
    message_.clear();
    return TOPV_OK;
  }
  topv_status event_elapsed(topv_event* begin, topv_event* end, float* milliseconds) noexcept override {
    message_.clear();
    *milliseconds = std::chrono::duration<float, std::milli>(static_cast<CpuEvent*>(end)->reached -
                                                             static_cast<CpuEvent*>(begin)->reached)
                        .count();
    return TOPV_OK;
  }
  topv_status event_destroy(topv_event* event) noexcept override {
    message_.clear();
    delete event;
    return TOPV_OK;
  }

  topv_status graph_begin(topv_stream*) noexcept override { return no_graphs("graph_begin"); }
  topv_status graph_end(topv_stream*, topv_graph**) noexcept override { return no_graphs("graph_end"); }
  topv_status graph_launch(topv_stream*, topv_graph*) noexcept override { return no_graphs("graph_launch"); }
  topv_status graph_destroy(topv_graph*) noexcept override { return no_graphs("graph_destroy"); }

  topv_status weight_create(const topv_weight_params& params, topv_weight** out) noexcept override {
    return run([&] { *out = gemm_.create(params).release(); });
  }

  topv_status weight_destroy(topv_weight* weight) noexcept override {
    message_.clear();
    delete weight;
    return TOPV_OK;
  }

  topv_status gemm(topv_stream*, const topv_gemm_params& params) noexcept override {
    return run([&] { gemm_.run(params); });
  }

  topv_status patch_embed(topv_stream*, const topv_patch_embed_params& params) noexcept override {
    return run([&] { gemm_.patch_embed(params); });
  }

#define TOPV_RUN_KERNEL(name, Params)                                      \
  topv_status name(topv_stream*, const Params& params) noexcept override { \
    return run([&] { kernels_.name(team_, params); });                     \
  }
  TOPV_STEMS(TOPV_RUN_KERNEL)
#undef TOPV_RUN_KERNEL

 private:
  topv_status no_graphs(const char* call) noexcept {
    return guard(message_,
                 [&] { fail(TOPV_UNSUPPORTED, "%s: the cpu backend does not record graphs", call); });
  }

  template <typename Body>
  topv_status run(const Body& body) noexcept {
    return guard(message_, [&] {
      // A property of the calling thread; oneDNN sizes its loops by it.
      omp_set_num_threads(team_.threads());
      body();
    });
  }

  std::string message_;
  Level level_;
  const Kernels& kernels_;
  Team team_;
  Gemm gemm_;
};

topv_status create(const topv_context_params* params, Backend** out, char* error, int64_t capacity) {
  std::string message;
  *out = nullptr;
  const topv_status status = guard(message, [&] {
    if (params->device != 0)
      fail(TOPV_UNSUPPORTED, "context: device = %d; the cpu backend has device 0 only", params->device);
    const Level level = choose_level(params->isa);
    *out = new CpuBackend(level, params->threads > 0 ? params->threads : usable_cores());
  });
  if (capacity > 0) {
    std::strncpy(error, message.c_str(), static_cast<size_t>(capacity) - 1);
    error[capacity - 1] = '\0';
  }
  return status;
}

}  // namespace
}  // namespace topv::cpu

extern "C" TOPV_API const topv::BackendFactory topv_backend_factory = {TOPV_CONTRACT_VERSION,
                                                                       &topv::cpu::create};
