// mbarriers, and the mail that they count: bytes of TMA, bulk copies and st.async. Mail lands as late as allowed, when
// somebody waits for the barrier; until then its destination holds NaN.
#pragma once

#include <vector>

#include "simt/error.hpp"
#include "simt/tensor_map.hpp"

namespace simt {

struct Thread;
struct Block;

/// The 8 bytes of an mbarrier.
struct Mbarrier {
  int32_t missing_bytes;
  uint16_t missing_arrivals;
  uint16_t count : 15, parity : 1;  ///< parity of the phase that is under way
};
static_assert(sizeof(Mbarrier) == 8);

/// Bytes on their way to dst: a box, a plain copy from src, or values.
struct Message {
  unsigned char* dst;
  const unsigned char* src;  ///< of a plain copy
  size_t bytes;
  TensorMap map;  ///< of a box; a copy, since the thread that named it may be gone
  Coordinates at;
  uint32_t values[4];
};

/// What is on its way to one mbarrier, and who waits for it.
struct Mailbox {
  std::vector<Message> messages;
  std::vector<Thread*> waiting;
};

void init(Mbarrier& barrier, uint32_t count);
void arrive(Mbarrier& barrier, uint32_t expected_bytes, Site site);
void expect(Mbarrier& barrier, uint32_t bytes, Site site);
void wait(Mbarrier& barrier, uint32_t parity, Site site);
/// Whether the phase of this parity has ended; lets others run where not.
bool try_wait(Mbarrier& barrier, uint32_t parity, Site site);

void send_values(void* dst, const void* values, size_t bytes, Mbarrier& barrier, Site site);
void send_bytes(void* dst, const void* src, size_t bytes, Mbarrier& barrier, Site site);
void send_box(void* dst, const TensorMap& map, int rank, const Coordinates& at, Mbarrier& barrier, Site site);

/// Whether bytes are still on their way to or from this block's shared memory.
bool mail_under_way(const Block& block);

}  // namespace simt
