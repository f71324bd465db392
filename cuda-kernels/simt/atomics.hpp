// CUDA's atomics: relaxed, on anything of 4 or 8 bytes. They order nothing else: for that there are the acquires and releases
// of common/ptx/memory.cuh. (__threadfence() does nothing here, and TSan would not understand it.)
#pragma once

#include "simt/scheduler.hpp"
#include "simt/types.hpp"

namespace simt {

/// Replaces *p by f(*p), and gives what it was.
template <typename T, typename F>
T update(T* p, F f) {
  T before, after;
  __atomic_load(p, &before, __ATOMIC_RELAXED);
  do after = f(before);
  while (!__atomic_compare_exchange(p, &before, &after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  progress();
  return before;
}

/// T as it is, where the other argument decides on the template parameter.
template <typename T>
struct Same {
  using Type = T;
};

}  // namespace simt

#define SIMT_ATOMIC(name, expression)                             \
  template <typename T>                                           \
  T name(T* p, typename simt::Same<T>::Type value) {              \
    return simt::update(p, [=](T old) { return T(expression); }); \
  }
SIMT_ATOMIC(atomicAdd, old + value)
SIMT_ATOMIC(atomicSub, old - value)
SIMT_ATOMIC(atomicMin, old < value ? old : value)
SIMT_ATOMIC(atomicMax, old > value ? old : value)
SIMT_ATOMIC(atomicAnd, old& value)
SIMT_ATOMIC(atomicOr, old | value)
SIMT_ATOMIC(atomicXor, old ^ value)
SIMT_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
SIMT_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1)
SIMT_ATOMIC(atomicExch, ((void)old, value))
#undef SIMT_ATOMIC

template <typename T>
T atomicCAS(T* p, typename simt::Same<T>::Type compare, typename simt::Same<T>::Type value) {
  __atomic_compare_exchange(p, &compare, &value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  simt::progress();
  return compare;
}

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
