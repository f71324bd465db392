// A small test harness. Each test_<stem>.cpp includes it once, states TESTs, and becomes an executable.
//
//   TEST(adds) { for_each_context([](test::Context& ctx) { ... CHECK(x == y); close(actual, expected,
//   tolerance, "y"); }); }
//
// Memory that must not be read or written is filled with NaN (poisoned); comparators fail on NaN.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "device.hpp"
#include "pinned.hpp"

namespace test {

// ---- cases

struct Case {
  const char* name;
  void (*body)();
};
inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
inline int& failures() {
  static int count = 0;
  return count;
}
struct Registrar {
  Registrar(const char* name, void (*body)()) { cases().push_back({name, body}); }
};
inline void failed(const char* file, int line, const std::string& what) {
  if (++failures() <= 20) std::printf("FAILED %s:%d [%s] %s\n", file, line, where().c_str(), what.c_str());
}

#define TEST(name)                                             \
  static void test_##name();                                   \
  static test::Registrar registrar_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(condition)                                                         \
  do {                                                                           \
    if (!(condition)) test::failed(__FILE__, __LINE__, "CHECK(" #condition ")"); \
  } while (0)

// ---- numbers

/// A small generator: the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2862933555777941757ull + 3037000493ull) {}
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ * 2685821657736338717ull;
  }
  /// Uniform in [0, bound).
  int64_t below(int64_t bound) { return static_cast<int64_t>(next() >> 11) % bound; }
  /// Uniform in [low, high).
  float uniform(float low = -1, float high = 1) {
    return low + (high - low) * static_cast<float>(next() >> 40) / 16777216.0f;
  }
  /// Roughly normal, mean 0, variance 1.
  float normal() {
    float sum = 0;
    for (int i = 0; i < 12; ++i) sum += uniform(0, 1);
    return sum - 6;
  }

 private:
  uint64_t state_;
};

inline float from_bf16(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}
inline uint16_t to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
/// IEEE half.
inline float from_f16(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 31) return fraction != 0 ? NAN : bits & 0x8000 ? -INFINITY : INFINITY;
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                        : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// Rounded to nearest even; overflows to infinity.
inline uint16_t to_f16(float value) {
  const _Float16 half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}

/// Unit in the last place of a value of this magnitude.
inline double ulp(double magnitude, int32_t dtype) {
  const int bits = dtype == TOPV_BF16 ? 8 : dtype == TOPV_F16 ? 11 : 24;
  int exponent;
  std::frexp(std::max(std::fabs(magnitude), 1e-30), &exponent);
  if (dtype == TOPV_F16) exponent = std::max(exponent, -13);  // below 2^-14 halves are subnormal
  return std::ldexp(1.0, exponent - bits);
}

/// A host array of F32, BF16 or F16 elements that is read and written as float. Starts poisoned with NaN.
class Array {
 public:
  Array(int64_t count, int32_t dtype)
      : dtype_(dtype), bytes_(static_cast<size_t>(count) * (dtype == TOPV_F32 ? 4 : 2)) {
    for (int64_t i = 0; i < count; ++i) set(i, std::numeric_limits<float>::quiet_NaN());
    count_ = count;
  }
  void* data() { return bytes_.data(); }
  const void* data() const { return bytes_.data(); }
  int64_t count() const { return count_; }
  int32_t dtype() const { return dtype_; }
  float get(int64_t i) const {
    if (dtype_ == TOPV_F32) {
      float value;
      std::memcpy(&value, &bytes_[static_cast<size_t>(i) * 4], 4);
      return value;
    }
    uint16_t bits;
    std::memcpy(&bits, &bytes_[static_cast<size_t>(i) * 2], 2);
    return dtype_ == TOPV_BF16 ? from_bf16(bits) : from_f16(bits);
  }
  /// Rounds to the dtype; get() gives the rounded value.
  void set(int64_t i, float value) {
    if (dtype_ == TOPV_F32) {
      std::memcpy(&bytes_[static_cast<size_t>(i) * 4], &value, 4);
    } else {
      const uint16_t bits = dtype_ == TOPV_BF16 ? to_bf16(value) : to_f16(value);
      std::memcpy(&bytes_[static_cast<size_t>(i) * 2], &bits, 2);
    }
  }
  /// Random values in [rows, cols] with row stride ld; the padding keeps its poison.
  void fill(Random& random, int64_t rows, int64_t cols, int64_t ld, float scale = 1) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) set(i * ld + j, scale * random.normal());
    }
  }
  /// Bit for bit.
  bool operator==(const Array& other) const { return bytes_ == other.bytes_; }
  bool operator!=(const Array& other) const { return bytes_ != other.bytes_; }

 private:
  int32_t dtype_;
  int64_t count_ = 0;
  std::vector<unsigned char> bytes_;
};

/// Fails unless |actual - expected| <= tolerance; NaN is equal to nothing, infinities only to themselves.
#define CLOSE(actual, expected, tolerance, what) \
  test::close(__FILE__, __LINE__, actual, expected, tolerance, what)
inline void close(const char* file, int line, double actual, double expected, double tolerance,
                  const std::string& what) {
  const bool same = std::isinf(expected) ? actual == expected : std::fabs(actual - expected) <= tolerance;
  if (same) return;
  char text[256];
  std::snprintf(text, sizeof text, "%s: %.9g, expected %.9g, off by %.3g, allowed %.3g", what.c_str(), actual,
                expected, std::fabs(actual - expected), tolerance);
  failed(file, line, text);
}

/// Fails unless every element outside [rows, cols] of an array with row stride ld is still poison.
#define PADDING_UNTOUCHED(array, rows, cols, ld) test::padding(__FILE__, __LINE__, array, rows, cols, ld)
inline void padding(const char* file, int line, const Array& array, int64_t rows, int64_t cols, int64_t ld) {
  for (int64_t i = 0; i < array.count(); ++i) {
    const bool inside = ld > 0 && i / ld < rows && i % ld < cols;
    if (!inside && !std::isnan(array.get(i)))
      return failed(file, line, "padding was written at " + std::to_string(i));
  }
}

/// Fails unless call() throws with this status and a message that holds all the words.
#define REFUSED(status, call, ...) test::refused(__FILE__, __LINE__, status, [&] { call; }, {__VA_ARGS__})
inline void refused(const char* file, int line, topv_status status, const std::function<void()>& call,
                    const std::vector<std::string>& words) {
  try {
    call();
  } catch (const topv::Exception& error) {
    if (error.status() != status)
      failed(file, line, "status " + std::to_string(error.status()) + ": " + error.what());
    for (const std::string& word : words) {
      if (std::string(error.what()).find(word) == std::string::npos) {
        failed(file, line, "\"" + std::string(error.what()) + "\" does not say \"" + word + "\"");
      }
    }
    return;
  }
  failed(file, line, "was not refused");
}

}  // namespace test

int main(int count, char** arguments) {
  static const char* only = count > 1 ? arguments[1] : nullptr;
  return test::run_pinned([] {
    for (const test::Case& one : test::cases()) {
      if (only != nullptr && std::strcmp(only, one.name) != 0) continue;
      const int before = test::failures();
      try {
        one.body();
      } catch (const std::exception& error) {
        test::failed(one.name, 0, error.what());
      }
      std::printf("%-6s %s\n", test::failures() == before ? "ok" : "FAILED", one.name);
    }
    std::printf("%d failures\n", test::failures());
    return test::failures() == 0 ? 0 : 1;
  });
}
