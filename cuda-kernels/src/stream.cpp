#include "stream.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace topv::cuda {

// ---- staging

Staging::~Staging() {
  for (const cudaEvent_t event : done_) {
    if (event != nullptr) cudaEventDestroy(event);
  }
  cudaFreeHost(memory_);
}

void Staging::open() {
  check(cudaHostAlloc(&memory_, kSlots * kSlotBytes, cudaHostAllocPortable), "copy: pinned memory");
  for (cudaEvent_t& event : done_)
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "copy: event");
}

void Staging::upload(cudaStream_t stream, void* dst, const void* src, int64_t bytes) {
  if (memory_ == nullptr) open();
  for (int64_t at = 0; at < bytes; at += kSlotBytes) {
    const auto size = static_cast<size_t>(std::min(kSlotBytes, bytes - at));
    unsigned char* const slot = static_cast<unsigned char*>(memory_) + next_ * kSlotBytes;
    check(cudaEventSynchronize(done_[next_]), "copy");
    std::memcpy(slot, static_cast<const unsigned char*>(src) + at, size);
    check(cudaMemcpyAsync(static_cast<unsigned char*>(dst) + at, slot, size, cudaMemcpyHostToDevice, stream),
          "copy");
    check(cudaEventRecord(done_[next_], stream), "copy");
    next_ = (next_ + 1) % kSlots;
  }
}

// ---- events

Event::Event() : owned_(true) { check(cudaEventCreateWithFlags(&native_, 0), "event_create"); }

Event::~Event() {
  if (owned_) cudaEventDestroy(native_);
}

// ---- streams

namespace {

cudaStream_t create_stream() {
  cudaStream_t native = nullptr;
  check(cudaStreamCreateWithFlags(&native, cudaStreamNonBlocking), "stream_create");
  return native;
}

}  // namespace

Stream::Stream() : Stream(create_stream(), true) { open(); }

Stream::Stream(cudaStream_t native) : Stream(native, false) { open(); }

void Stream::open() {
  void* memory = nullptr;
  check(cudaMalloc(&memory, sizeof(Fault)), "stream_create");
  fault_ = static_cast<Fault*>(memory);
  check(cudaHostAlloc(&memory, sizeof(Fault), cudaHostAllocPortable), "stream_create");
  found_ = static_cast<Fault*>(memory);
  check(cudaMemsetAsync(fault_, 0, sizeof(Fault), native_), "stream_create");
}

Stream::~Stream() {
  cudaStreamSynchronize(native_);
  cudaFree(fault_);
  cudaFreeHost(found_);
  if (owned_) cudaStreamDestroy(native_);
}

void Stream::synchronize() {
  must_not_record("stream_synchronize");
  check(cudaMemcpyAsync(found_, fault_, sizeof(Fault), cudaMemcpyDeviceToHost, native_),
        "stream_synchronize");
  check(cudaStreamSynchronize(native_), "stream_synchronize");
  if (found_->kind == FaultKind::none) return;
  check(cudaMemsetAsync(fault_, 0, sizeof(Fault), native_), "stream_synchronize");
  std::string words;
  const topv_status status = describe(*found_, words);
  throw Error(status, words.c_str());
}

void Stream::must_not_record(const char* call) const {
  if (recording_) fail(TOPV_INVALID_ARGUMENT, "%s: the stream records a graph", call);
}

void Stream::begin() {
  must_not_record("graph_begin");
  // Relaxed: scratch memory may grow while an operation is recorded.
  check(cudaStreamBeginCapture(native_, cudaStreamCaptureModeRelaxed), "graph_begin");
  recording_ = true;
}

cudaGraphExec_t Stream::end() {
  if (!recording_) fail(TOPV_INVALID_ARGUMENT, "graph_end: the stream records no graph");
  recording_ = false;
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(native_, &graph), "graph_end");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t result = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(result, "graph_end");
  return executable;
}

// ---- graphs

Graph::~Graph() {
  cudaStreamSynchronize(stream_.native());
  cudaGraphExecDestroy(native_);
}

void Graph::launch(const Stream& on) const {
  on.must_not_record("graph_launch");
  if (&on != &stream_) fail(TOPV_INVALID_ARGUMENT, "graph_launch: graph was recorded on another stream");
  check(cudaGraphLaunch(native_, on.native()), "graph_launch");
}

}  // namespace topv::cuda
