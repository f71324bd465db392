// wgmma: products of a warpgroup that happen as late as allowed. From issue to wait the accumulators hold NaN; operands in
// shared memory are read at the wait, by the last of the 128 threads to get there, for all of them.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "simt/barrier.hpp"

namespace simt {

/// The bits by which the hardware finds an operand (common/ptx/descriptor.cuh), and the tile that they were made for: the
/// low 18 bits of its address stand for that in shared memory.
struct Descriptor {
  uint64_t bits;
  unsigned char* tile;

  bool operator==(const Descriptor& other) const { return bits == other.bits && tile == other.tile; }
};

/// Shared memory address of element (mn, k) of an operand, k below 16, after the PTX manual's canonical layouts for
/// 128-byte swizzle.
uint32_t operand_address(uint64_t bits, bool mn_major, int mn, int k);

/// One product as all threads of a warpgroup must issue it.
struct Product {
  int n;
  bool half, mn_major, keep, a_in_registers;  ///< mn_major: B is; keep: D += A B, not D = A B
  Descriptor a, b;
};

class Warpgroup {
 public:
  void fence() { mine().fenced = true; }
  /// d: this thread's n / 2 accumulators. a: its 4 registers of A, or nullptr.
  void issue(const Product& product, float* d, const uint32_t* a, Site site);
  void commit(Site site);
  void wait(size_t left, Site site);
  bool idle() const { return queue_.empty(); }

 private:
  static constexpr int kThreads = 128;
  /// Accumulators of all threads, as long as a product on them is under way.
  struct Accumulators {
    int n, pending = 0;
    float* of[kThreads] = {};
    std::vector<float> d;  ///< [64, n]
  };
  struct Issued {
    Product product;
    std::shared_ptr<Accumulators> accumulators;
    std::vector<uint32_t> a;  ///< [128, 4], of an A in registers
  };
  /// How far a thread has got; each issues the same sequence at its own pace.
  struct Progress {
    size_t issued = 0, committed = 0;
    bool fenced = false;
  };
  static int index();
  Progress& mine() { return progress_[index()]; }
  void perform(Issued& issued);
  static void check_fenced(const Descriptor& descriptor, bool mn_major, int size, Site site);

  std::deque<Issued> queue_;
  std::deque<size_t> groups_;                  ///< sequence numbers of the ends of the committed groups
  size_t first_issued_ = 0, first_group_ = 0;  ///< sequence numbers of the fronts
  Progress progress_[kThreads];
  Barrier barrier_;
  float a_[16 * 64], b_[16 * 256];  ///< operands of the product that is performed
};

/// The calling thread's.
Warpgroup& warpgroup(Site site);

/// Refuses what the hardware would read in another way than a kernel means it.
Descriptor descriptor(uint64_t bits, const void* tile, Site site);

}  // namespace simt
