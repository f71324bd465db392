// What AddressSanitizer and ThreadSanitizer are told; nothing where they are off.
//
// To TSan each CUDA thread is a thread of its own, though all run on one: what no barrier orders is a race. The emulation's
// own memory is no concern of it (Quiet), a kernel's is.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define SIMT_ASAN 1
#else
#define SIMT_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define SIMT_TSAN 1
extern "C" {
void* __tsan_create_fiber(unsigned flags);
void* __tsan_get_current_fiber();
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#else
#define SIMT_TSAN 0
#endif

/// Emulation code that TSan need not see.
#define SIMT_UNSEEN __attribute__((no_sanitize("thread")))
/// Arithmetic on the emulation's own arrays, not instrumented at all.
#define SIMT_FAST __attribute__((no_sanitize("thread", "address", "undefined"), noinline))

namespace simt {

/// While one lives, the calling CUDA thread's accesses are the emulation's own.
class Quiet {
 public:
  Quiet() { begin(); }
  ~Quiet() { end(); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  friend class Loud;
  static void begin() {
#if SIMT_TSAN
    AnnotateIgnoreReadsBegin("", 0);
    AnnotateIgnoreWritesBegin("", 0);
#endif
  }
  static void end() {
#if SIMT_TSAN
    AnnotateIgnoreWritesEnd("", 0);
    AnnotateIgnoreReadsEnd("", 0);
#endif
  }
};
/// Within a Quiet: accesses are the kernel's again.
class Loud {
 public:
  Loud() { Quiet::end(); }
  ~Loud() { Quiet::begin(); }
  Loud(const Loud&) = delete;
  Loud& operator=(const Loud&) = delete;
};

/// What happened before a release is seen by who acquires the same address after it.
inline void release(const void* address) {
#if SIMT_TSAN
  __tsan_release(const_cast<void*>(address));
#else
  (void)address;
#endif
}
inline void acquire(const void* address) {
#if SIMT_TSAN
  __tsan_acquire(const_cast<void*>(address));
#else
  (void)address;
#endif
}

/// Memory that must not be touched.
inline void forbid(const void* p, size_t bytes) {
#if SIMT_ASAN
  __asan_poison_memory_region(p, bytes);
#else
  (void)p, (void)bytes;
#endif
}
inline void allow(const void* p, size_t bytes) {
#if SIMT_ASAN
  __asan_unpoison_memory_region(p, bytes);
#else
  (void)p, (void)bytes;
#endif
}

// Memory of a kernel is accessed in words: GCC's sanitizers do not see a memcpy that it expands, nor what is passed by value.
typedef uint64_t __attribute__((may_alias)) Word64;
typedef uint32_t __attribute__((may_alias)) Word32;
typedef uint16_t __attribute__((may_alias)) Word16;

/// 2 bytes, or a multiple of 4; aligned to their number, to 16 at most.
inline void copy_words(void* dst, const void* src, size_t bytes) {
  if (bytes % 8 == 0) {
    for (size_t i = 0; i < bytes / 8; i++) static_cast<Word64*>(dst)[i] = static_cast<const Word64*>(src)[i];
  } else if (bytes % 4 == 0) {
    for (size_t i = 0; i < bytes / 4; i++) static_cast<Word32*>(dst)[i] = static_cast<const Word32*>(src)[i];
  } else {
    *static_cast<Word16*>(dst) = *static_cast<const Word16*>(src);
  }
}
/// All bits set: NaN, or -1. bytes: a multiple of 4.
inline void poison_words(void* dst, size_t bytes) {
  for (size_t i = 0; i < bytes / 4; i++) static_cast<Word32*>(dst)[i] = ~0u;
}

}  // namespace simt
