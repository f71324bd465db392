package io.topv.cli.eval;

/**
 * One question answered under one condition.
 *
 * @param condition its key
 * @param question its index
 * @param tokens visual tokens that stayed
 */
public record Outcome(String condition, int question, String answer, boolean correct, int tokens) {}
