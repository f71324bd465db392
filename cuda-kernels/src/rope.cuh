// The rotation of rope and rope_append: elements i and i + D/2 of a head by the angles of its position.
#pragma once

#include "common/vectors.cuh"

namespace topv::cuda {

/// The pairs x[0 .. V), x[half ..) rotated; table: their cosines, and half further on their sines.
template <int V, typename T>
__device__ __forceinline__ void rotate(const T* x, int half, const float* table, float (&low)[V],
                                       float (&high)[V]) {
  float a[V], b[V], cosine[V], sine[V];
  load(x, a);
  load(x + half, b);
  load(table, cosine);
  load(table + half, sine);
#pragma unroll
  for (int v = 0; v < V; ++v) {
    low[v] = fmaf(a[v], cosine[v], -(b[v] * sine[v]));
    high[v] = fmaf(b[v], cosine[v], a[v] * sine[v]);
  }
}

/// Pairs that a thread may take at once: heads are multiples of 8 wide, their halves of 4.
template <typename T>
int rope_pack(int head_dim) {
  return head_dim / 2 % kPack<T> == 0 ? kPack<T> : 4;
}

}  // namespace topv::cuda
