// Norms, activations, rope, sample: operations on rows.
#include "validate/check.hpp"

namespace topv {
namespace {

/// x [rows, x_cols] and y [rows, cols] with their strides.
template <typename Params>
void rows_of(const Check& check, const Params& p, int64_t x_cols, const char* x_name) {
  check.dtype("dtype", p.dtype);
  check.at_least("ldx", p.ldx, x_name, x_cols);
  check.at_least("ldy", p.ldy, "cols", p.cols);
  check.extent("x", p.rows, p.ldx);
  check.extent("y", p.rows, p.ldy);
  check.pointer("x", p.x, p.rows == 0);
  check.pointer("y", p.y, p.rows == 0);
}

template <typename Params>
void counts_of(const Check& check, const Params& p) {
  check.at_least("rows", p.rows, 0);
  check.at_least("cols", p.cols, 1);
}

}  // namespace

void validate_rms_norm(const topv_rms_norm_params& p) {
  const Check check("rms_norm");
  counts_of(check, p);
  rows_of(check, p, p.cols, "cols");
  check.not_negative("eps", p.eps);
  check.pointer("weight", p.weight);
}

void validate_layer_norm(const topv_layer_norm_params& p) {
  const Check check("layer_norm");
  counts_of(check, p);
  rows_of(check, p, p.cols, "cols");
  check.not_negative("eps", p.eps);
  check.pointer("weight", p.weight);
  check.pointer("bias", p.bias);
}

void validate_silu_mul(const topv_silu_mul_params& p) {
  const Check check("silu_mul");
  counts_of(check, p);
  rows_of(check, p, check.extent("x", 2, p.cols), "2 * cols");
}

void validate_gelu(const topv_gelu_params& p) {
  const Check check("gelu");
  counts_of(check, p);
  rows_of(check, p, p.cols, "cols");
  check.range("activation", p.activation, TOPV_ACTIVATION_GELU, TOPV_ACTIVATION_QUICK_GELU);
}

void validate_rope(const topv_rope_params& p) {
  const Check check("rope");
  check.at_least("tokens", p.tokens, 0);
  check.at_least("heads", p.heads, 1);
  check.at_least("head_dim", p.head_dim, 8);
  check.multiple("head_dim", p.head_dim, "", 8);
  check.at_least("max_positions", p.max_positions, 1);
  check.dtype("dtype", p.dtype);
  check.at_least("ldx", p.ldx, "heads * head_dim", int64_t{p.heads} * p.head_dim);
  check.extent("x", p.tokens, p.ldx);
  check.extent("cos_sin", p.max_positions, p.head_dim);
  check.pointer("cos_sin", p.cos_sin);
  check.pointer("positions", p.positions, p.tokens == 0);
  check.pointer("x", p.x, p.tokens == 0);
}

void validate_penalize(const topv_penalize_params& p) {
  const Check check("penalize");
  check.at_least("batch", p.batch, 0);
  check.at_least("count", p.count, 0);
  check.range("vocab", p.vocab, 1, 1 << 23);
  check.at_least("ldl", p.ldl, "vocab", p.vocab);
  check.extent("logits", p.batch, p.ldl);
  check.extent("ids", p.count, 1);
  check.pointer("logits", p.logits, p.batch == 0);
  check.pointer("rows", p.rows, p.count == 0);
  check.pointer("ids", p.ids, p.count == 0);
  check.pointer("times", p.times, p.count == 0);
  check.pointer("repetition", p.repetition, p.batch == 0);
  check.pointer("presence", p.presence, p.batch == 0);
  check.pointer("frequency", p.frequency, p.batch == 0);
}

void validate_sample(const topv_sample_params& p) {
  const Check check("sample");
  check.at_least("batch", p.batch, 0);
  check.range("vocab", p.vocab, 1, 1 << 23);
  check.at_least("ldl", p.ldl, "vocab", p.vocab);
  check.extent("logits", p.batch, p.ldl);
  check.pointer("logits", p.logits, p.batch == 0);
  check.pointer("tokens", p.tokens, p.batch == 0);
}

}  // namespace topv
