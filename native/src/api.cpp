// The functions of topv.h: guard -> validate -> dispatch.
#include "context.hpp"
#include "guard.hpp"
#include "thread_message.hpp"
#include "validate.hpp"

using topv::fail;
using topv::guard;

namespace {

/// Runs body(backend) for a call on ctx and keeps its words there.
template <typename Body>
topv_status on(topv_context* ctx, const char* call, const Body& body) noexcept {
  if (ctx == nullptr) {
    return guard(topv::thread_message(), [&] { fail(TOPV_INVALID_ARGUMENT, "%s: ctx is NULL", call); });
  }
  return guard(ctx->message, [&] {
    const topv_status status = body(*ctx->backend);
    if (status != TOPV_OK) throw topv::Error(status, ctx->backend->message());
  });
}

void require(const char* call, const char* field, const void* pointer) {
  if (pointer == nullptr) fail(TOPV_INVALID_ARGUMENT, "%s: %s is NULL", call, field);
}

/// A handle must be of this context.
template <typename Handle>
void require_own(topv_context* ctx, const char* call, const char* field, const Handle* handle) {
  require(call, field, handle);
  if (handle->owner != ctx) fail(TOPV_INVALID_ARGUMENT, "%s: %s belongs to another context", call, field);
}

/// Runs body(backend), which makes a handle of ctx.
template <typename Handle, typename Body>
topv_status create(topv_context* ctx, const char* call, Handle** out, const Body& body) noexcept {
  return on(ctx, call, [&](topv::Backend& backend) {
    require(call, "out", out);
    *out = nullptr;
    const topv_status status = body(backend);
    if (status == TOPV_OK) (*out)->owner = ctx;
    return status;
  });
}

/// Runs body(backend), which frees a handle of ctx; none is fine.
template <typename Handle, typename Body>
topv_status destroy(topv_context* ctx, const char* call, const char* field, const Handle* handle,
                    const Body& body) noexcept {
  return on(ctx, call, [&](topv::Backend& backend) {
    if (handle == nullptr) return TOPV_OK;
    require_own(ctx, call, field, handle);
    return body(backend);
  });
}

/// Gives memory by one of the backend's ways.
topv_status allocate(topv_context* ctx, const char* call, int64_t bytes, void** out,
                     topv_status (topv::Backend::*way)(int64_t, void**) noexcept) noexcept {
  return on(ctx, call, [&](topv::Backend& backend) {
    require(call, "out", out);
    *out = nullptr;
    if (bytes < 0)
      fail(TOPV_INVALID_ARGUMENT, "%s: bytes = %lld is below 0", call, static_cast<long long>(bytes));
    return (backend.*way)(bytes, out);
  });
}

void check_stream(topv_context* ctx, const char* call, const topv_stream* stream) {
  if (stream != nullptr) require_own(ctx, call, "stream", stream);
}

/// A weight among the params of an operation.
template <typename Params>
void check_weight(topv_context*, const char*, const Params&) {}
template <>
void check_weight(topv_context* ctx, const char* call, const topv_gemm_params& params) {
  require_own(ctx, call, "w", params.w);
}
template <>
void check_weight(topv_context* ctx, const char* call, const topv_patch_embed_params& params) {
  require_own(ctx, call, "w", params.w);
}

}  // namespace

extern "C" {

const char* topv_version(void) { return TOPV_VERSION; }

const char* topv_error_message(const topv_context* ctx) {
  return ctx == nullptr ? topv::thread_message().c_str() : ctx->message.c_str();
}

topv_status topv_context_create(const topv_context_params* params, topv_context** out) {
  return guard(topv::thread_message(), [&] {
    require("context_create", "out", out);
    *out = nullptr;
    require("context_create", "params", params);
    auto context = std::make_unique<topv_context>();
    context->backend = topv::open_backend(*params);
    context->name = params->backend;
    *out = context.release();
  });
}

void topv_context_destroy(topv_context* ctx) { delete ctx; }

topv_status topv_context_describe(topv_context* ctx, char* buffer, int64_t capacity, int64_t* needed) {
  return on(ctx, "context_describe", [&](topv::Backend& backend) {
    if (capacity < 0)
      fail(TOPV_INVALID_ARGUMENT, "context_describe: capacity = %lld is below 0",
           static_cast<long long>(capacity));
    if (capacity > 0) require("context_describe", "buffer", buffer);
    return backend.describe(buffer, capacity, needed);
  });
}

topv_status topv_alloc(topv_context* ctx, int64_t bytes, void** out) {
  return allocate(ctx, "alloc", bytes, out, &topv::Backend::alloc);
}

topv_status topv_free(topv_context* ctx, void* memory) {
  return on(ctx, "free",
            [&](topv::Backend& backend) { return memory == nullptr ? TOPV_OK : backend.free(memory); });
}

topv_status topv_host_alloc(topv_context* ctx, int64_t bytes, void** out) {
  return allocate(ctx, "host_alloc", bytes, out, &topv::Backend::host_alloc);
}

topv_status topv_host_free(topv_context* ctx, void* memory) {
  return on(ctx, "host_free",
            [&](topv::Backend& backend) { return memory == nullptr ? TOPV_OK : backend.host_free(memory); });
}

topv_status topv_copy(topv_context* ctx, topv_stream* stream, void* dst, const void* src, int64_t bytes,
                      topv_copy_kind kind) {
  return on(ctx, "copy", [&](topv::Backend& backend) {
    check_stream(ctx, "copy", stream);
    if (bytes < 0)
      fail(TOPV_INVALID_ARGUMENT, "copy: bytes = %lld is below 0", static_cast<long long>(bytes));
    if (kind < TOPV_HOST_TO_DEVICE || kind > TOPV_DEVICE_TO_DEVICE) {
      fail(TOPV_INVALID_ARGUMENT, "copy: kind = %d is not a topv_copy_kind", static_cast<int>(kind));
    }
    if (bytes == 0) return TOPV_OK;
    require("copy", "dst", dst);
    require("copy", "src", src);
    return backend.copy(stream, dst, src, bytes, kind);
  });
}

topv_status topv_stream_create(topv_context* ctx, topv_stream** out) {
  return create(ctx, "stream_create", out,
                [&](topv::Backend& backend) { return backend.stream_create(out); });
}

topv_status topv_stream_wrap(topv_context* ctx, void* native_stream, topv_stream** out) {
  return create(ctx, "stream_wrap", out,
                [&](topv::Backend& backend) { return backend.stream_wrap(native_stream, out); });
}

topv_status topv_stream_native(topv_context* ctx, topv_stream* stream, void** out) {
  return on(ctx, "stream_native", [&](topv::Backend& backend) {
    require("stream_native", "out", out);
    *out = nullptr;
    check_stream(ctx, "stream_native", stream);
    return backend.stream_native(stream, out);
  });
}

topv_status topv_stream_synchronize(topv_context* ctx, topv_stream* stream) {
  return on(ctx, "stream_synchronize", [&](topv::Backend& backend) {
    check_stream(ctx, "stream_synchronize", stream);
    return backend.stream_synchronize(stream);
  });
}

topv_status topv_stream_destroy(topv_context* ctx, topv_stream* stream) {
  return destroy(ctx, "stream_destroy", "stream", stream,
                 [&](topv::Backend& backend) { return backend.stream_destroy(stream); });
}

topv_status topv_event_create(topv_context* ctx, topv_event** out) {
  return create(ctx, "event_create", out, [&](topv::Backend& backend) { return backend.event_create(out); });
}

topv_status topv_event_wrap(topv_context* ctx, void* native_event, topv_event** out) {
  return create(ctx, "event_wrap", out, [&](topv::Backend& backend) {
    require("event_wrap", "native_event", native_event);
    return backend.event_wrap(native_event, out);
  });
}

topv_status topv_event_record(topv_context* ctx, topv_stream* stream, topv_event* event) {
  return on(ctx, "event_record", [&](topv::Backend& backend) {
    check_stream(ctx, "event_record", stream);
    require_own(ctx, "event_record", "event", event);
    return backend.event_record(stream, event);
  });
}

topv_status topv_event_wait(topv_context* ctx, topv_stream* stream, topv_event* event) {
  return on(ctx, "event_wait", [&](topv::Backend& backend) {
    check_stream(ctx, "event_wait", stream);
    require("event_wait", "event", event);
    const auto& maker = static_cast<const topv_context*>(event->owner)->name;
    if (maker != ctx->name) {
      fail(TOPV_INVALID_ARGUMENT, "event_wait: event is of backend %s, this context of %s", maker.c_str(),
           ctx->name.c_str());
    }
    return backend.event_wait(stream, event);
  });
}

topv_status topv_event_elapsed(topv_context* ctx, topv_event* begin, topv_event* end, float* milliseconds) {
  return on(ctx, "event_elapsed", [&](topv::Backend& backend) {
    require_own(ctx, "event_elapsed", "begin", begin);
    require_own(ctx, "event_elapsed", "end", end);
    require("event_elapsed", "milliseconds", milliseconds);
    return backend.event_elapsed(begin, end, milliseconds);
  });
}

topv_status topv_event_destroy(topv_context* ctx, topv_event* event) {
  return destroy(ctx, "event_destroy", "event", event,
                 [&](topv::Backend& backend) { return backend.event_destroy(event); });
}

topv_status topv_graph_begin(topv_context* ctx, topv_stream* stream) {
  return on(ctx, "graph_begin", [&](topv::Backend& backend) {
    check_stream(ctx, "graph_begin", stream);
    return backend.graph_begin(stream);
  });
}

topv_status topv_graph_end(topv_context* ctx, topv_stream* stream, topv_graph** out) {
  return create(ctx, "graph_end", out, [&](topv::Backend& backend) {
    check_stream(ctx, "graph_end", stream);
    return backend.graph_end(stream, out);
  });
}

topv_status topv_graph_launch(topv_context* ctx, topv_stream* stream, topv_graph* graph) {
  return on(ctx, "graph_launch", [&](topv::Backend& backend) {
    check_stream(ctx, "graph_launch", stream);
    require_own(ctx, "graph_launch", "graph", graph);
    return backend.graph_launch(stream, graph);
  });
}

topv_status topv_graph_destroy(topv_context* ctx, topv_graph* graph) {
  return destroy(ctx, "graph_destroy", "graph", graph,
                 [&](topv::Backend& backend) { return backend.graph_destroy(graph); });
}

topv_status topv_weight_create(topv_context* ctx, const topv_weight_params* params, topv_weight** out) {
  return create(ctx, "weight_create", out, [&](topv::Backend& backend) {
    require("weight_create", "params", params);
    topv::validate_weight(*params);
    return backend.weight_create(*params, out);
  });
}

topv_status topv_weight_destroy(topv_context* ctx, topv_weight* weight) {
  return destroy(ctx, "weight_destroy", "weight", weight,
                 [&](topv::Backend& backend) { return backend.weight_destroy(weight); });
}

#define TOPV_DEFINE(name, Params)                                                         \
  topv_status topv_##name(topv_context* ctx, topv_stream* stream, const Params* params) { \
    return on(ctx, #name, [&](topv::Backend& backend) {                                   \
      require(#name, "params", params);                                                   \
      check_stream(ctx, #name, stream);                                                   \
      check_weight(ctx, #name, *params);                                                  \
      topv::validate_##name(*params);                                                     \
      return backend.name(stream, *params);                                               \
    });                                                                                   \
  }
TOPV_OPS(TOPV_DEFINE)
#undef TOPV_DEFINE

}  // extern "C"
