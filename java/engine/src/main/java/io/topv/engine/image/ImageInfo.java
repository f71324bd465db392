package io.topv.engine.image;

/**
 * What a file says about its image, read without decoding pixels.
 *
 * @param format container, found from the content and never from the name
 * @param mode how the samples are stored, in Pillow's words: 1, L, LA, P, RGB, RGBA, I;16, CMYK
 * @param width columns as stored, before {@code orientation} is applied
 * @param height rows as stored, before {@code orientation} is applied
 * @param orientation EXIF orientation 1..8; 1 when absent or meaningless
 * @param bytes size of the encoded file
 * @param frames images in the file (the first is decoded); GIF is not walked, so it says 1
 */
public record ImageInfo(
    ImageFormat format,
    String mode,
    int width,
    int height,
    int orientation,
    long bytes,
    int frames) {

  /** True when the orientation exchanges width and height. */
  public boolean transposed() {
    return orientation >= 5;
  }
}
