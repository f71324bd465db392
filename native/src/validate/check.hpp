// The checks that validation is made of.
#pragma once

#include <cmath>
#include <cstdint>

#include "error.hpp"
#include "validate.hpp"

namespace topv {

/// Checks for the fields of one operation's params.
class Check {
 public:
  explicit Check(const char* op) : op_(op) {}

  /// The array must be given, unless it is known to be empty.
  void pointer(const char* field, const void* value, bool empty = false) const {
    if (value == nullptr && !empty) fail(TOPV_INVALID_ARGUMENT, "%s: %s is NULL", op_, field);
  }

  void null(const char* field, const void* value, const char* when) const {
    if (value != nullptr) fail(TOPV_INVALID_ARGUMENT, "%s: %s is given although %s", op_, field, when);
  }

  void at_least(const char* field, int64_t value, int64_t least) const {
    if (value < least)
      fail(TOPV_INVALID_ARGUMENT, "%s: %s = %lld is below %lld", op_, field, wide(value), wide(least));
  }

  /// The same against another field (or a product of fields).
  void at_least(const char* field, int64_t value, const char* other, int64_t least) const {
    if (value < least) {
      fail(TOPV_INVALID_ARGUMENT, "%s: %s = %lld is below %s = %lld", op_, field, wide(value), other,
           wide(least));
    }
  }

  void range(const char* field, int64_t value, int64_t least, int64_t most) const {
    if (value < least || value > most) {
      fail(TOPV_INVALID_ARGUMENT, "%s: %s = %lld is not in %lld .. %lld", op_, field, wide(value),
           wide(least), wide(most));
    }
  }

  void flag(const char* field, int32_t value) const { range(field, value, 0, 1); }

  void multiple(const char* field, int64_t value, const char* other, int64_t divisor) const {
    if (value % divisor != 0) {
      fail(TOPV_INVALID_ARGUMENT, "%s: %s = %lld is not a multiple of %s%s%lld", op_, field, wide(value),
           other, *other != '\0' ? " = " : "", wide(divisor));
    }
  }

  void finite(const char* field, float value) const {
    if (!std::isfinite(value)) fail(TOPV_INVALID_ARGUMENT, "%s: %s = %g is not finite", op_, field, value);
  }

  void positive(const char* field, float value) const {
    finite(field, value);
    if (!(value > 0)) fail(TOPV_INVALID_ARGUMENT, "%s: %s = %g is not above 0", op_, field, value);
  }

  void not_negative(const char* field, float value) const {
    finite(field, value);
    if (value < 0) fail(TOPV_INVALID_ARGUMENT, "%s: %s = %g is below 0", op_, field, value);
  }

  /// F32 or BF16: what activations are.
  void dtype(const char* field, int32_t value) const {
    if (value != TOPV_F32 && value != TOPV_BF16) {
      fail(TOPV_INVALID_ARGUMENT, "%s: %s = %d is neither F32 (0) nor BF16 (2)", op_, field, value);
    }
  }

  /// F32, F16 or BF16: what checkpoints hold, and what attention takes.
  void stored_dtype(const char* field, int32_t value) const { range(field, value, TOPV_F32, TOPV_BF16); }

  /// count * stride elements must be addressable.
  int64_t extent(const char* field, int64_t count, int64_t stride) const {
    int64_t product = 0;
    if (__builtin_mul_overflow(count, stride, &product) || product > kMostElements) {
      fail(TOPV_INVALID_ARGUMENT, "%s: %s: %lld x %lld elements are more than an address can reach", op_,
           field, wide(count), wide(stride));
    }
    return product;
  }

  /// a + b, with the same limit.
  int64_t sum(const char* field, int64_t a, int64_t b) const {
    int64_t total = 0;
    if (__builtin_add_overflow(a, b, &total) || total > kMostElements) {
      fail(TOPV_INVALID_ARGUMENT, "%s: the sum over %s is more than an address can reach", op_, field);
    }
    return total;
  }

  const char* op() const { return op_; }

 private:
  static constexpr int64_t kMostElements = int64_t{1} << 56;
  static long long wide(int64_t value) { return value; }

  const char* op_;
};

}  // namespace topv
