#include "simt/fiber.hpp"

#include <sys/mman.h>

#include <cstdlib>

#include "simt/error.hpp"

#if !defined(__x86_64__)
#error "The emulation switches stacks by hand, and knows x86-64 alone."
#endif

// Saves what a call must preserve on the old stack, and restores it from the new one.
extern "C" void simt_switch_stack(void** save, void* load);
asm(R"(
.text
.type simt_switch_stack, @function
simt_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch_stack, .-simt_switch_stack
)");

namespace simt {
namespace {

SIMT_UNSEEN void change(Fiber& from, Fiber& to, bool for_good) {
#if SIMT_ASAN
  __sanitizer_start_switch_fiber(for_good ? nullptr : &from.fake_stack, to.stack, to.stack_bytes);
#endif
#if SIMT_TSAN
  __tsan_switch_to_fiber(to.logical, 1);  // 1: the switch itself orders nothing
#endif
  (void)for_good;
  simt_switch_stack(&from.stack_pointer, to.stack_pointer);
#if SIMT_ASAN
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

}  // namespace

void prepare(Fiber& fiber, void (*entry)()) {
  void** top =
      reinterpret_cast<void**>(fiber.stack + fiber.stack_bytes) - 2;  // 16-byte aligned after the return
  *top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  fiber.stack_pointer = top;
}

__attribute__((no_sanitize("address"))) void entered(Fiber& main) {
#if SIMT_ASAN
  const void* stack;
  size_t bytes;
  __sanitizer_finish_switch_fiber(nullptr, &stack, &bytes);
  if (main.stack ==
      nullptr) {  // the first fiber comes from the launching thread, whose stack only ASan knows
    main.stack = static_cast<char*>(const_cast<void*>(stack));
    main.stack_bytes = bytes;
  }
#else
  (void)main;
#endif
}

SIMT_UNSEEN void switch_fiber(Fiber& from, Fiber& to) { change(from, to, false); }

SIMT_UNSEEN void leave(Fiber& from, Fiber& to) {
  change(from, to, true);
  std::abort();
}

void Stacks::provide(size_t count) {
  if (count <= count_) return;
  if (memory_ != nullptr) munmap(memory_, count_ * kBytes);
  void* memory = mmap(nullptr, count * kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  count_ = memory != MAP_FAILED ? count : 0;
  memory_ = memory != MAP_FAILED ? static_cast<char*>(memory) : nullptr;
  if (memory_ == nullptr) throw Error("no memory for the stacks of " + std::to_string(count) + " threads");
  constexpr size_t kMostGuards = 16000;  // the kernel allows 65530 mappings by default
  for (size_t i = 0; i < count && count < kMostGuards; i++) mprotect(stack(i), 4096, PROT_NONE);
}

void Stacks::clean() { allow(memory_, count_ * kBytes); }

}  // namespace simt
