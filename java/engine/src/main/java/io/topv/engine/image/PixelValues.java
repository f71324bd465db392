package io.topv.engine.image;

/**
 * What a vision tower sees.
 *
 * @param height rows H
 * @param width columns W
 * @param values [3, H, W], planar, row after row
 */
public record PixelValues(int height, int width, float[] values) {}
