// What follows the sums of a product: bias, activation, residual, rounding.
#pragma once

#include "cpu/activation.hpp"

namespace topv::cpu::TOPV_ISA {

struct Epilogue {
  const float* bias;  ///< nullable
  int32_t activation;
  int32_t accumulate;
};

/// c[0 .. count) = activation(sums + bias[column ..]) + (accumulate ? c : 0)
template <typename T>
void finish(const Epilogue& e, const float* sums, int64_t column, T* c, int64_t count) {
  const auto value = [&](F sum, F bias, F old) { return activate(sum + bias, e.activation) + old; };
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const F bias = e.bias != nullptr ? load(e.bias + column + j) : zero();
    store(c + j, value(load(sums + j), bias, e.accumulate ? load(c + j) : zero()));
  }
  const int rest = static_cast<int>(count - j);
  if (rest == 0) return;
  const F bias = e.bias != nullptr ? load_n(e.bias + column + j, rest) : zero();
  store_n(c + j, value(load_n(sums + j, rest), bias, e.accumulate ? load_n(c + j, rest) : zero()), rest);
}

}  // namespace topv::cpu::TOPV_ISA
