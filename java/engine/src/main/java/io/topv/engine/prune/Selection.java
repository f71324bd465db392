package io.topv.engine.prune;

/**
 * What a method says of one image.
 *
 * @param kept ascending indices into the image's visual tokens
 * @param importance per visual token; empty for a method that has none
 */
public record Selection(int[] kept, float[] importance) {}
