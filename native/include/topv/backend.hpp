// The inner seam: what a backend plug-in (libtopv_<name>.so) implements. One virtual per operation of topv.h.
//
// libtopv.so has validated the params against the ranges that topv.h documents; what lies in device memory
// (ids, slots, block tables) is the backend's to check. No exception crosses the seam: plug-ins return a
// status and keep the words in message(), for each library brings its own C++ runtime.
#pragma once

#include <cstdint>

#include "topv/topv.h"

/// A packed matrix as both sides of the seam see it; backends derive from it.
struct topv_weight {
  virtual ~topv_weight() = default;
  const void* owner = nullptr;  ///< the context that made it
  int64_t n = 0, k = 0;
  int32_t compute = TOPV_F32;
};

/// An ordered queue of work; backends derive from it.
struct topv_stream {
  virtual ~topv_stream() = default;
  const void* owner = nullptr;  ///< the context that made it
};

/// A point in a stream; backends derive from it.
struct topv_event {
  virtual ~topv_event() = default;
  const void* owner = nullptr;  ///< the context that made it
};

/// Recorded work; backends derive from it.
struct topv_graph {
  virtual ~topv_graph() = default;
  const void* owner = nullptr;  ///< the context that made it
};

/// Operations that are kernels alone: X(stem, params struct). A new stem is one line here, and a file of its name in each
/// backend.
#define TOPV_STEMS(X)                           \
  X(rms_norm, topv_rms_norm_params)             \
  X(layer_norm, topv_layer_norm_params)         \
  X(silu_mul, topv_silu_mul_params)             \
  X(gelu, topv_gelu_params)                     \
  X(rope, topv_rope_params)                     \
  X(embed, topv_embed_params)                   \
  X(rows_gather, topv_rows_gather_params)       \
  X(kv_append, topv_kv_append_params)           \
  X(rope_append, topv_rope_append_params)       \
  X(kv_gather, topv_kv_gather_params)           \
  X(attention_prefill, topv_attention_params)   \
  X(attention_decode, topv_attention_params)    \
  X(penalize, topv_penalize_params)             \
  X(sample, topv_sample_params)                 \
  X(transport_cost, topv_transport_cost_params) \
  X(sinkhorn, topv_sinkhorn_params)             \
  X(token_select, topv_token_select_params)

/// Every operation.
#define TOPV_OPS(X)                       \
  X(gemm, topv_gemm_params)               \
  X(patch_embed, topv_patch_embed_params) \
  TOPV_STEMS(X)

namespace topv {

/// One open device. Used by one thread at a time. Each call does as the function of the same name in topv.h
/// says.
class Backend {
 public:
  virtual ~Backend() = default;

  /// Words of the last failed call; lives until the next call.
  virtual const char* message() const noexcept = 0;

  virtual topv_status describe(char* buffer, int64_t capacity, int64_t* needed) noexcept = 0;

  virtual topv_status alloc(int64_t bytes, void** out) noexcept = 0;
  virtual topv_status free(void* memory) noexcept = 0;
  virtual topv_status host_alloc(int64_t bytes, void** out) noexcept = 0;
  virtual topv_status host_free(void* memory) noexcept = 0;
  virtual topv_status copy(topv_stream* stream, void* dst, const void* src, int64_t bytes,
                           topv_copy_kind kind) noexcept = 0;

  /// stream NULL: the default stream.
  virtual topv_status stream_create(topv_stream** out) noexcept = 0;
  virtual topv_status stream_wrap(void* native_stream, topv_stream** out) noexcept = 0;
  virtual topv_status stream_native(topv_stream* stream, void** out) noexcept = 0;
  virtual topv_status stream_synchronize(topv_stream* stream) noexcept = 0;
  virtual topv_status stream_destroy(topv_stream* stream) noexcept = 0;

  virtual topv_status event_create(topv_event** out) noexcept = 0;
  virtual topv_status event_wrap(void* native_event, topv_event** out) noexcept = 0;
  virtual topv_status event_record(topv_stream* stream, topv_event* event) noexcept = 0;
  virtual topv_status event_wait(topv_stream* stream, topv_event* event) noexcept = 0;
  virtual topv_status event_elapsed(topv_event* begin, topv_event* end, float* milliseconds) noexcept = 0;
  virtual topv_status event_destroy(topv_event* event) noexcept = 0;

  virtual topv_status graph_begin(topv_stream* stream) noexcept = 0;
  virtual topv_status graph_end(topv_stream* stream, topv_graph** out) noexcept = 0;
  virtual topv_status graph_launch(topv_stream* stream, topv_graph* graph) noexcept = 0;
  virtual topv_status graph_destroy(topv_graph* graph) noexcept = 0;

  virtual topv_status weight_create(const topv_weight_params& params, topv_weight** out) noexcept = 0;
  virtual topv_status weight_destroy(topv_weight* weight) noexcept = 0;

#define TOPV_DECLARE(name, Params) \
  virtual topv_status name(topv_stream* stream, const Params& params) noexcept = 0;
  TOPV_OPS(TOPV_DECLARE)
#undef TOPV_DECLARE
};

/// What a plug-in exports under the name "topv_backend_factory". create() opens a device; where it fails it
/// writes a NUL-terminated text of at most capacity bytes to error and leaves *out NULL.
struct BackendFactory {
  int32_t contract_version;  ///< TOPV_CONTRACT_VERSION the plug-in was compiled with
  topv_status (*create)(const topv_context_params* params, Backend** out, char* error, int64_t capacity);
};

}  // namespace topv
