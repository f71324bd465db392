// One row from one dtype to another.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cpu/simd.hpp"
#include "topv/topv.h"

namespace topv::cpu::TOPV_ISA {

template <typename From, typename To>
void convert_row(const From* src, To* dst, int64_t count) {
  if constexpr (std::is_same_v<From, To>) {
    std::memcpy(dst, src, static_cast<size_t>(count) * sizeof(To));
  } else {
    int64_t j = 0;
    for (; j + kLanes <= count; j += kLanes) store(dst + j, load(src + j));
    if (j < count)
      store_n(dst + j, load_n(src + j, static_cast<int>(count - j)), static_cast<int>(count - j));
  }
}

/// Calls body(From{}, To{}) with the types of the dtypes: From of F32, F16, BF16; To of F32, BF16.
template <typename Body>
void with_types(int32_t from, int32_t to, const Body& body) {
  const auto then = [&](auto source) {
    if (to == TOPV_F32) {
      body(source, float{});
    } else {
      body(source, bf16{});
    }
  };
  if (from == TOPV_F32) {
    then(float{});
  } else if (from == TOPV_F16) {
    then(f16{});
  } else {
    then(bf16{});
  }
}

}  // namespace topv::cpu::TOPV_ISA
