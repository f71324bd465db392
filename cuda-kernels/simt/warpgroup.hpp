// The products that a warpgroup has under way.
#pragma once

namespace simt {

/// One product as all threads of a warpgroup must have issued it.
struct Product {
  int n;
  bool half, mn_major, keep, a_in_registers;  ///< keep: D += A B, not D = A B
  uint64_t a, b;
};
inline bool operator==(const Product& x, const Product& y) {
  return x.n == y.n && x.half == y.half && x.mn_major == y.mn_major && x.keep == y.keep &&
         x.a_in_registers == y.a_in_registers && (x.a_in_registers || x.a == y.a) && x.b == y.b;
}

/// Accumulators of 128 threads while a product on them is under way.
struct Accumulators {
  int n, pending = 0;
  float* thread[128] = {};
  std::vector<float> d;  ///< [64, n]
};

struct Warpgroup {
  struct Issued {
    Product product;
    std::shared_ptr<Accumulators> d;
    std::vector<uint32_t> a;  ///< [128, 4], of an A in registers
  };
  // Threads issue the same sequence, each at its own pace: the first creates an entry, the others join it.
  std::deque<Issued> queue;
  std::deque<size_t> groups;                     ///< ends of the committed groups, as sequence numbers
  size_t first = 0, first_group = 0;             ///< sequence numbers of the fronts
  size_t issued[128] = {}, committed[128] = {};  ///< by thread
  bool fenced[128] = {};
  Barrier bar;
};

}  // namespace simt
