package io.topv.engine.image;

/**
 * What an image may cost before it is decoded.
 *
 * @param maxBytes size of the encoded file, in bytes
 * @param maxPixels width x height as the file states it; checked before any pixel is allocated
 */
public record ImageLimits(long maxBytes, long maxPixels) {
  /** 64 MiB, and the pixel count above which Pillow refuses an image. */
  public static final ImageLimits DEFAULT = new ImageLimits(64L << 20, 178_956_970L);

  public ImageLimits {
    if (maxBytes < 1 || maxPixels < 1) {
      throw new IllegalArgumentException("limits must be positive");
    }
  }
}
