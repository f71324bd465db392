package io.topv.engine.image;

import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** PNG pixels: inflate, undo the row filters, spread Adam7 passes, convert samples to RGB. */
final class PngDecoder {
  /**
   * How much of a chunk Pillow hands to zlib at once; it decides which trailing errors are seen.
   */
  private static final int BLOCK = 1 << 16;

  private static final int[] PASS_X = {0, 4, 0, 2, 0, 1, 0};
  private static final int[] PASS_Y = {0, 0, 4, 0, 2, 0, 1};
  private static final int[] STEP_X = {8, 8, 4, 4, 2, 2, 1};
  private static final int[] STEP_Y = {8, 8, 8, 4, 4, 2, 2};

  private final PngFile png;
  private final int samples;
  private final int bits;
  private final byte[] palette = new byte[3 * 256];
  private final byte[] rgb;

  private int pass;
  private int y;
  private int rowBytes;
  private byte[] row;
  private byte[] above;
  private boolean done;

  private PngDecoder(PngFile png) throws MalformedImage {
    this.png = png;
    samples = new int[] {1, 0, 3, 1, 2, 0, 4}[png.colorType];
    bits = png.bitDepth * samples;
    if (png.palette.length > palette.length) {
      throw new MalformedImage("has a palette of " + png.palette.length + " bytes, at most 768");
    }
    System.arraycopy(png.palette, 0, palette, 0, png.palette.length / 3 * 3);
    rgb = new byte[3 * png.width * png.height];
    if (png.colorType == 3 && (palette[0] | palette[1] | palette[2]) != 0) {
      for (int i = 0; i < rgb.length; i++) {
        rgb[i] = palette[i % 3];
      }
    }
    pass = png.interlaced ? 0 : 6;
    int longest = (int) (((long) png.frameWidth * bits + 7) / 8);
    row = new byte[1 + longest];
    above = new byte[1 + longest];
    startPass();
  }

  static RgbImage decode(PngFile png) throws MalformedImage {
    PngDecoder decoder = new PngDecoder(png);
    Inflater inflater = new Inflater();
    try {
      decoder.inflateAll(inflater);
    } catch (DataFormatException e) {
      throw new MalformedImage("has broken compressed data: " + e.getMessage());
    } finally {
      inflater.end();
    }
    return new RgbImage(png.width, png.height, decoder.rgb);
  }

  private void inflateAll(Inflater inflater) throws DataFormatException, MalformedImage {
    int filled = 0;
    for (PngFile.Piece piece : png.pieces) {
      if (done && piece.cut()) {
        throw new MalformedImage("is truncated after its image data");
      }
      for (int at = piece.from(); at < piece.to() && !done; at += BLOCK) {
        inflater.setInput(png.data, at, Math.min(BLOCK, piece.to() - at));
        while (!done && inflater.getRemaining() > 0) {
          filled += inflater.inflate(row, filled, 1 + rowBytes - filled);
          if (filled <= rowBytes) {
            if (inflater.needsDictionary()) {
              throw new DataFormatException("a preset dictionary");
            }
            break;
          }
          filled = 0;
          finishRow();
          // A stream that ends between two rows leaves the rest as it is, without an error.
          done |= inflater.finished();
        }
      }
    }
    if (!done) {
      throw new MalformedImage("is truncated: row " + y + " of " + png.frameHeight + " is missing");
    }
  }

  private void finishRow() throws MalformedImage {
    unfilter();
    emit();
    byte[] swap = above;
    above = row;
    row = swap;
    if (!png.interlaced) {
      done = ++y == png.frameHeight;
      return;
    }
    y += STEP_Y[pass];
    while (!done && (y >= png.frameHeight || rowBytes == 0)) {
      done = ++pass == 7;
      if (!done) {
        startPass();
      }
    }
  }

  private void startPass() {
    y = png.interlaced ? PASS_Y[pass] : 0;
    rowBytes = (int) (((long) columns() * bits + 7) / 8);
    Arrays.fill(above, (byte) 0);
  }

  private int columns() {
    return png.interlaced
        ? (png.frameWidth + STEP_X[pass] - 1 - PASS_X[pass]) / STEP_X[pass]
        : png.frameWidth;
  }

  private void unfilter() throws MalformedImage {
    int bpp = Math.max(1, bits / 8);
    switch (row[0]) {
      case 0 -> {}
      case 1 -> {
        for (int i = 1 + bpp; i <= rowBytes; i++) {
          row[i] += row[i - bpp];
        }
      }
      case 2 -> {
        for (int i = 1; i <= rowBytes; i++) {
          row[i] += above[i];
        }
      }
      case 3 -> {
        for (int i = 1; i <= rowBytes; i++) {
          int left = i > bpp ? row[i - bpp] & 0xff : 0;
          row[i] += (byte) (left + (above[i] & 0xff) >> 1);
        }
      }
      case 4 -> {
        for (int i = 1; i <= rowBytes; i++) {
          int a = i > bpp ? row[i - bpp] & 0xff : 0;
          int b = above[i] & 0xff;
          int c = i > bpp ? above[i - bpp] & 0xff : 0;
          int pa = Math.abs(b - c);
          int pb = Math.abs(a - c);
          int pc = Math.abs(a + b - 2 * c);
          row[i] += (byte) (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
        }
      }
      default -> throw new MalformedImage("has an unknown PNG row filter: " + (row[0] & 0xff));
    }
  }

  private void emit() {
    int columns = columns();
    int step = 3 * (png.interlaced ? STEP_X[pass] : 1);
    int x = png.left + (png.interlaced ? PASS_X[pass] : 0);
    int out = 3 * ((png.top + y) * png.width + x);
    if (png.bitDepth < 8) {
      for (int i = 0; i < columns; i++, out += step) {
        int shift = 8 - png.bitDepth - i * png.bitDepth % 8;
        int value = row[1 + i * png.bitDepth / 8] >> shift & (1 << png.bitDepth) - 1;
        put(out, png.colorType == 3 ? value : value * 255 / ((1 << png.bitDepth) - 1));
      }
      return;
    }
    int size = bits / 8;
    int wide = png.bitDepth / 8;
    if (samples < 3) {
      // Pillow keeps 16-bit grey whole and saturates it on the way to RGB; all else drops to 8
      // bits.
      boolean saturate = wide == 2 && png.colorType == 0;
      for (int i = 0, in = 1; i < columns; i++, in += size, out += step) {
        put(out, !saturate ? row[in] & 0xff : row[in] == 0 ? row[in + 1] & 0xff : 255);
      }
      return;
    }
    for (int i = 0, in = 1; i < columns; i++, in += size, out += step) {
      rgb[out] = row[in];
      rgb[out + 1] = row[in + wide];
      rgb[out + 2] = row[in + 2 * wide];
    }
  }

  private void put(int out, int value) {
    if (png.colorType == 3) {
      rgb[out] = palette[3 * value];
      rgb[out + 1] = palette[3 * value + 1];
      rgb[out + 2] = palette[3 * value + 2];
    } else {
      rgb[out] = rgb[out + 1] = rgb[out + 2] = (byte) value;
    }
  }
}
