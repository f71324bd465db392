package io.topv.runtime;

/**
 * What {@link Ops#penalize} does to which logits, in device memory: n tokens that have been seen,
 * no two of them alike in token and row, and the settings of B rows.
 *
 * @param rows I32 [1, n], in [0, B)
 * @param ids I32 [1, n], in [0, V)
 * @param times I32 [1, n]: how often the answer has the token; 0 = only the prompt has it
 * @param repetition F32 [1, B]: divides positive logits and multiplies others
 * @param presence F32 [1, B]: subtracted where the answer has the token
 * @param frequency F32 [1, B]: subtracted for each time that it has
 */
public record Penalties(
    Tensor rows, Tensor ids, Tensor times, Tensor repetition, Tensor presence, Tensor frequency) {}
