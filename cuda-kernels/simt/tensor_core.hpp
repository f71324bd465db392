// How tensor cores add.
//
// The terms of a step are the sum so far and exact products. All are cut off, toward zero, so many bits below the exponent of
// the largest; their sum is exact, and cut off to a float. Hopper keeps 25 bits; Ampere 24, and its mma adds half of the
// depth at a time. So found on the hardware, bit for bit: P. Xie et al., "MMA-Sim", arXiv:2511.10909 (and
// github.com/microsoft/MMA-Sim). The exponent of a product is the sum of its factors'.
#pragma once

namespace simt {

/// d [rows, n] += a [depth, rows] transposed, times b [depth, n], in one step. least: the exponent of the elements' denormals.
/// depth <= 16, n <= 256.
void multiply_add(const float* a, const float* b, float* d, int rows, int n, int depth, int bits, int least);

}  // namespace simt
