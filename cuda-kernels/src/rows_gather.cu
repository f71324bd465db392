// dst[i, :] = src[index[i], :], rows of any number of bytes.
//
// Grid: threads over rows and units of up to 16 bytes (as the addresses, strides and row length allow), four per thread
// in flight. Bound: memory bandwidth, each byte read and written once.
#include "common/copy.cuh"
#include "common/report.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

template <typename Unit>
__global__ void __launch_bounds__(256) rows_gather_kernel(topv_rows_gather_params p, Fault* fault) {
  for (int64_t i = first_row(); i < p.count; i += row_step()) {
    const int32_t row = p.index[i];
    if (row < 0 || row >= p.src_rows) {
      if (item_index() == 0) report(fault, FaultKind::rows_gather_index, i, row, p.src_rows);
      continue;
    }
    const auto* src = static_cast<const unsigned char*>(p.src) + row * p.src_stride_bytes;
    auto* dst = static_cast<unsigned char*>(p.dst) + i * p.dst_stride_bytes;
    copy_row(reinterpret_cast<Unit*>(dst), reinterpret_cast<const Unit*>(src),
             p.row_bytes / int64_t{sizeof(Unit)}, item_index(), row_lanes());
  }
}

template <typename Unit>
void start(const Run& run, const topv_rows_gather_params& p) {
  launch(run, over_copies(p.count, p.row_bytes / int64_t{sizeof(Unit)}), rows_gather_kernel<Unit>, p,
         run.fault);
}

}  // namespace

void rows_gather(const Run& run, const topv_rows_gather_params& p) {
  switch (copy_unit({address(p.src), address(p.dst), p.src_stride_bytes, p.dst_stride_bytes, p.row_bytes})) {
    case 16:
      return start<uint4>(run, p);
    case 4:
      return start<uint32_t>(run, p);
    case 2:
      return start<uint16_t>(run, p);
    default:
      return start<uint8_t>(run, p);
  }
}

}  // namespace topv::cuda
