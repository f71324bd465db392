package io.topv.engine.image;

import java.util.Arrays;

/**
 * A decoded picture, 8 bits a channel.
 *
 * @param width columns, at least 1
 * @param height rows, at least 1
 * @param pixels packed R, G, B, row after row from the top: {@code 3 * width * height} bytes. Held,
 *     not copied: whoever makes or reads an image leaves the array alone afterwards
 */
public record RgbImage(int width, int height, byte[] pixels) {
  public RgbImage {
    if (width < 1 || height < 1 || pixels.length != 3L * width * height) {
      throw new IllegalArgumentException(
          width + " x " + height + " RGB image with " + pixels.length + " bytes");
    }
  }

  /** Channel {@code c} (0 red, 1 green, 2 blue) of one pixel, 0..255. */
  public int at(int x, int y, int c) {
    return pixels[3 * (y * width + x) + c] & 0xff;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RgbImage that
        && width == that.width
        && height == that.height
        && Arrays.equals(pixels, that.pixels);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * width + height) + Arrays.hashCode(pixels);
  }

  @Override
  public String toString() {
    return "RgbImage[" + width + " x " + height + "]";
  }
}
