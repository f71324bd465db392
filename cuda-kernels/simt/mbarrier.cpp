#include "simt/mbarrier.hpp"

#include <cstring>

#include "simt/grid.hpp"

namespace simt {
namespace {

void check(const Mbarrier& barrier, Site site) {
  if (barrier.count == 0x7fff) fail(site.file, site.line, "mbarrier: used before mbar_init()");
  if (uintptr_t(&barrier) % 8 != 0) fail(site.file, site.line, "mbarrier: not 8-byte aligned");
}

void end_phase_if_complete(Mbarrier& barrier) {
  if (barrier.missing_arrivals != 0 || barrier.missing_bytes != 0) return;
  barrier.parity = !barrier.parity;
  barrier.missing_arrivals = barrier.count;
  progress();
  Mailbox& box = grid.mail[&barrier];
  for (Thread* thread : box.waiting) make_ready(*thread);
  box.waiting.clear();
}

void land(const Message& message) {
  Loud loud;
  if (message.map.base != nullptr)
    load_box(message.map, message.at, message.dst);
  else
    copy_words(message.dst, message.src != nullptr ? static_cast<const void*>(message.src) : message.values,
               message.bytes);
}

void deliver(Mbarrier& barrier) {
  const auto found = grid.mail.find(&barrier);
  if (found == grid.mail.end() || found->second.messages.empty()) return;
  acquire(&barrier);
  for (const Message& message : found->second.messages) {
    barrier.missing_bytes -= int32_t(message.bytes);
    land(message);
  }
  grid.undelivered -= found->second.messages.size();
  found->second.messages.clear();
  release(&barrier);
  end_phase_if_complete(barrier);
}

void send(const Message& message, Mbarrier& barrier, Site site) {
  poison_words(message.dst, message.bytes);
  Quiet quiet;
  check(barrier, site);
  Mailbox& box = grid.mail[&barrier];
  box.messages.push_back(message);
  grid.undelivered++;
  release(&barrier);
  progress();
  if (!box.waiting.empty()) deliver(barrier);
}

}  // namespace

void init(Mbarrier& barrier, uint32_t count) {
  barrier.missing_bytes = 0;
  barrier.count = barrier.missing_arrivals = uint16_t(count);
  barrier.parity = 0;
}

void arrive(Mbarrier& barrier, uint32_t expected_bytes, Site site) {
  Quiet quiet;
  check(barrier, site);
  if (barrier.missing_arrivals == 0)
    fail(site.file, site.line, "mbarrier: more arrivals than its count of %d", int(barrier.count));
  barrier.missing_bytes += int32_t(expected_bytes);
  barrier.missing_arrivals--;
  release(&barrier);
  progress();
  end_phase_if_complete(barrier);
}

void expect(Mbarrier& barrier, uint32_t bytes, Site site) {
  Quiet quiet;
  check(barrier, site);
  barrier.missing_bytes += int32_t(bytes);
}

void wait(Mbarrier& barrier, uint32_t parity, Site site) {
  Quiet quiet;
  check(barrier, site);
  deliver(barrier);
  while (barrier.parity == parity) {
    grid.mail[&barrier].waiting.push_back(&self());
    park("mbar_wait", site);
  }
  acquire(&barrier);
}

bool try_wait(Mbarrier& barrier, uint32_t parity, Site site) {
  Quiet quiet;
  check(barrier, site);
  deliver(barrier);
  if (barrier.parity == parity) {
    poll(site);
    return false;
  }
  acquire(&barrier);
  return true;
}

void send_values(void* dst, const void* values, size_t bytes, Mbarrier& barrier, Site site) {
  Message message = {static_cast<unsigned char*>(dst), nullptr, bytes, {}, {}, {}};
  std::memcpy(message.values, values, bytes);
  send(message, barrier, site);
}

void send_bytes(void* dst, const void* src, size_t bytes, Mbarrier& barrier, Site site) {
  check_bulk(dst, src, bytes, site.file, site.line);
  send({static_cast<unsigned char*>(dst), static_cast<const unsigned char*>(src), bytes, {}, {}, {}}, barrier,
       site);
}

void send_box(void* dst, const TensorMap& map, int rank, const Coordinates& at, Mbarrier& barrier,
              Site site) {
  check_box(map, rank, dst, site.file, site.line);
  send({static_cast<unsigned char*>(dst), nullptr, map.box_bytes(), map, at, {}}, barrier, site);
}

bool mail_under_way(const Block& block) {
  if (grid.undelivered == 0) return false;
  for (const auto& box : grid.mail)
    for (const Message& message : box.second.messages)
      if (block.shared.holds(message.dst) || block.shared.holds(message.src)) return true;
  return false;
}

}  // namespace simt
