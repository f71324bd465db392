package io.topv.engine.sample;

/**
 * How one token is to be drawn, in the terms of {@code topv_sample}.
 *
 * @param penalty comes first
 * @param temperature 0 = the best token
 * @param seed of the answer
 * @param counter which of the answer's tokens it is
 */
public record Draw(
    Penalty penalty,
    double temperature,
    int topK,
    double topP,
    double minP,
    long seed,
    long counter) {}
