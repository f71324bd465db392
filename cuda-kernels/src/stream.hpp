// A stream, with what its operations share: scratch memory, the first fault, pinned memory for copies. Events, graphs.
#pragma once

#include <cstdint>

#include "common/cuda.hpp"
#include "fault.hpp"
#include "scratch.hpp"
#include "topv/backend.hpp"

namespace topv::cuda {

/// Pinned memory on the way from the host to the device, made at the first upload: a ring of slots, each free again when
/// the copy that reads it is done.
class Staging {
 public:
  Staging() = default;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging();

  /// Queues a copy. src may be reused at once.
  void upload(cudaStream_t stream, void* dst, const void* src, int64_t bytes);

 private:
  static constexpr int kSlots = 16;
  static constexpr int64_t kSlotBytes = 256 << 10;

  void open();

  void* memory_ = nullptr;
  cudaEvent_t done_[kSlots] = {};
  int next_ = 0;
};

class Event final : public topv_event {
 public:
  Event();
  explicit Event(cudaEvent_t native) : native_(native) {}
  ~Event() override;
  cudaEvent_t native() const { return native_; }

 private:
  cudaEvent_t native_ = nullptr;
  bool owned_ = false;
};

class Stream final : public topv_stream {
 public:
  Stream();
  /// Leaves the native stream alive.
  explicit Stream(cudaStream_t native);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() override;

  cudaStream_t native() const { return native_; }
  Scratch& scratch() { return scratch_; }
  Fault* fault() { return fault_; }
  bool recording() const { return recording_; }

  /// Queues a copy. src may be reused at once.
  void upload(void* dst, const void* src, int64_t bytes) { staging_.upload(native_, dst, src, bytes); }

  /// Waits, and throws what the kernels found wrong since the last time.
  void synchronize();

  void begin();
  cudaGraphExec_t end();

  /// Throws while a graph is recorded.
  void must_not_record(const char* call) const;

 private:
  /// Nothing that could fail: once it has run, the destructor cleans up after the constructors that open().
  Stream(cudaStream_t native, bool owned) : native_(native), owned_(owned) {}
  void open();

  cudaStream_t native_ = nullptr;
  bool owned_ = false, recording_ = false;
  Scratch scratch_;
  Staging staging_;
  Fault* fault_ = nullptr;  ///< in device memory
  Fault* found_ = nullptr;  ///< its copy, in pinned memory
};

class Graph final : public topv_graph {
 public:
  /// What has been recorded on stream.
  explicit Graph(Stream& stream) : stream_(stream), native_(stream.end()) {}
  ~Graph() override;
  /// on must be the stream that recorded it: the kernels name its scratch memory.
  void launch(const Stream& on) const;

 private:
  const Stream& stream_;
  cudaGraphExec_t native_;
};

}  // namespace topv::cuda
