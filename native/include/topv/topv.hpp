// The C++ face of topv.h: header only, owners that free what they hold, and exceptions instead of status
// codes.
//
//   topv::Context context("cpu");
//   topv::Weight w = context.weight({rows}, n, k, TOPV_F32, TOPV_F32);
//   topv::Buffer c = context.alloc(m * n * sizeof(float));
//   topv_gemm_params params = {};
//   params.a = a; params.w = w.get(); params.c = c.data(); ...
//   context.gemm(params);
//
// Every operation of topv.h is a method of Context of the same name that takes the same params struct, and a
// stream.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>

#include "topv/topv.h"

namespace topv {

/// A call that did not end in TOPV_OK. what() is topv_error_message.
class Exception : public std::runtime_error {
 public:
  Exception(topv_status status, const char* message) : std::runtime_error(message), status_(status) {}
  topv_status status() const noexcept { return status_; }

 private:
  topv_status status_;
};

/// A handle that is given back by Free(context, handle). Must not outlive the context.
template <typename T, topv_status (*Free)(topv_context*, T*)>
class Owner {
 public:
  Owner() = default;
  Owner(topv_context* context, T* handle) noexcept : context_(context), handle_(handle) {}
  Owner(Owner&& other) noexcept : context_(other.context_), handle_(std::exchange(other.handle_, nullptr)) {}
  Owner& operator=(Owner&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owner() {
    if (handle_ != nullptr) Free(context_, handle_);
  }
  T* get() const noexcept { return handle_; }

 private:
  topv_context* context_ = nullptr;
  T* handle_ = nullptr;
};

using Weight = Owner<topv_weight, topv_weight_destroy>;
using Stream = Owner<topv_stream, topv_stream_destroy>;
using Event = Owner<topv_event, topv_event_destroy>;
using Graph = Owner<topv_graph, topv_graph_destroy>;

/// Device memory.
class Buffer : public Owner<void, topv_free> {
 public:
  Buffer() = default;
  Buffer(topv_context* context, void* memory, int64_t bytes) noexcept
      : Owner(context, memory), bytes_(bytes) {}
  template <typename T = void>
  T* data() const noexcept {
    return static_cast<T*>(get());
  }
  int64_t bytes() const noexcept { return bytes_; }

 private:
  int64_t bytes_ = 0;
};

/// An open device. Used by one thread at a time.
class Context {
 public:
  /// backend "cpu" or "cuda"; threads 0 = one per core; isa NULL = best.
  explicit Context(const char* backend, int32_t threads = 0, const char* isa = nullptr, int32_t device = 0,
                   const char* directory = nullptr) {
    const topv_context_params params = {backend, directory, device, threads, isa};
    const topv_status status = topv_context_create(&params, &context_);
    if (status != TOPV_OK) throw Exception(status, topv_error_message(nullptr));
  }
  Context(Context&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
  Context& operator=(Context&& other) noexcept {
    std::swap(context_, other.context_);
    return *this;
  }
  ~Context() { topv_context_destroy(context_); }

  topv_context* get() const noexcept { return context_; }

  /// The JSON object of topv_context_describe.
  std::string describe() const {
    int64_t needed = 0;
    check(topv_context_describe(context_, nullptr, 0, &needed));
    std::string text(static_cast<size_t>(needed), '\0');
    check(topv_context_describe(context_, text.data(), needed, nullptr));
    text.pop_back();
    return text;
  }

  Buffer alloc(int64_t bytes) const {
    void* memory = nullptr;
    check(topv_alloc(context_, bytes, &memory));
    return Buffer(context_, memory, bytes);
  }

  void copy(void* dst, const void* src, int64_t bytes, topv_copy_kind kind, const Stream& stream = {}) const {
    check(topv_copy(context_, stream.get(), dst, src, bytes, kind));
  }

  Stream stream() const {
    topv_stream* stream = nullptr;
    check(topv_stream_create(context_, &stream));
    return Stream(context_, stream);
  }

  /// A stream of the caller's: the current one of its framework, for example.
  Stream wrap(void* native_stream) const {
    topv_stream* stream = nullptr;
    check(topv_stream_wrap(context_, native_stream, &stream));
    return Stream(context_, stream);
  }

  void synchronize(const Stream& stream = {}) const {
    check(topv_stream_synchronize(context_, stream.get()));
  }

  Event event() const {
    topv_event* event = nullptr;
    check(topv_event_create(context_, &event));
    return Event(context_, event);
  }
  void record(const Event& event, const Stream& stream = {}) const {
    check(topv_event_record(context_, stream.get(), event.get()));
  }
  void wait(const Event& event, const Stream& stream = {}) const {
    check(topv_event_wait(context_, stream.get(), event.get()));
  }

  /// The work that body() gives stream, recorded.
  template <typename Body>
  Graph graph(const Stream& stream, const Body& body) const {
    check(topv_graph_begin(context_, stream.get()));
    topv_graph* graph = nullptr;
    try {
      body();
    } catch (...) {
      if (topv_graph_end(context_, stream.get(), &graph) == TOPV_OK) topv_graph_destroy(context_, graph);
      throw;
    }
    check(topv_graph_end(context_, stream.get(), &graph));
    return Graph(context_, graph);
  }
  void launch(const Graph& graph, const Stream& stream = {}) const {
    check(topv_graph_launch(context_, stream.get(), graph.get()));
  }

  Weight weight(const topv_weight_params& params) const {
    topv_weight* weight = nullptr;
    check(topv_weight_create(context_, &params, &weight));
    return Weight(context_, weight);
  }

  /// A weight of one part [n, k].
  Weight weight(const void* rows, int64_t n, int64_t k, topv_dtype dtype, topv_dtype compute) const {
    topv_weight_params params = {};
    params.parts[0] = rows;
    params.rows[0] = n;
    params.part_count = 1;
    params.dtype = dtype;
    params.compute = compute;
    params.k = k;
    return weight(params);
  }

#define TOPV_METHOD(name, Params)                                    \
  void name(const Params& params, const Stream& stream = {}) const { \
    check(topv_##name(context_, stream.get(), &params));             \
  }
  TOPV_METHOD(gemm, topv_gemm_params)
  TOPV_METHOD(rms_norm, topv_rms_norm_params)
  TOPV_METHOD(layer_norm, topv_layer_norm_params)
  TOPV_METHOD(silu_mul, topv_silu_mul_params)
  TOPV_METHOD(gelu, topv_gelu_params)
  TOPV_METHOD(rope, topv_rope_params)
  TOPV_METHOD(embed, topv_embed_params)
  TOPV_METHOD(patch_embed, topv_patch_embed_params)
  TOPV_METHOD(rows_gather, topv_rows_gather_params)
  TOPV_METHOD(kv_append, topv_kv_append_params)
  TOPV_METHOD(rope_append, topv_rope_append_params)
  TOPV_METHOD(kv_gather, topv_kv_gather_params)
  TOPV_METHOD(attention_prefill, topv_attention_params)
  TOPV_METHOD(attention_decode, topv_attention_params)
  TOPV_METHOD(penalize, topv_penalize_params)
  TOPV_METHOD(sample, topv_sample_params)
  TOPV_METHOD(transport_cost, topv_transport_cost_params)
  TOPV_METHOD(sinkhorn, topv_sinkhorn_params)
  TOPV_METHOD(token_select, topv_token_select_params)
#undef TOPV_METHOD

  /// Throws where status is not TOPV_OK.
  void check(topv_status status) const {
    if (status != TOPV_OK) throw Exception(status, topv_error_message(context_));
  }

 private:
  topv_context* context_ = nullptr;
};

/// A file mapped read-only.
class MappedFile {
 public:
  explicit MappedFile(const char* path) {
    const topv_status status = topv_map_file(path, &data_, &bytes_);
    if (status != TOPV_OK) throw Exception(status, topv_error_message(nullptr));
  }
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile() { topv_unmap_file(data_, bytes_); }
  const void* data() const noexcept { return data_; }
  int64_t bytes() const noexcept { return bytes_; }
  /// Gives back the memory that the bytes take; they stay readable.
  void release() const {
    const topv_status status = topv_release_file(data_, bytes_);
    if (status != TOPV_OK) throw Exception(status, topv_error_message(nullptr));
  }

 private:
  const void* data_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace topv
