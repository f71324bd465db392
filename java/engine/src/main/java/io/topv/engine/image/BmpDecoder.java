package io.topv.engine.image;

import java.util.Arrays;

/** Windows bitmaps: 1, 4, 8, 16, 24 and 32 bits, bit fields, RLE, either row order. */
final class BmpDecoder {
  private static final int RAW = 0;
  private static final int RLE8 = 1;
  private static final int RLE4 = 2;
  private static final int BITFIELDS = 3;

  private final byte[] data;
  int width;
  int height;
  private boolean topDown;
  private int bits;
  private long compression;
  private long offset;
  private byte[] palette = {};
  private boolean gray;
  private boolean alpha;
  private int[] masks = {0x7c00, 0x3e0, 0x1f};

  private BmpDecoder(byte[] data) {
    this.data = data;
  }

  static BmpDecoder read(byte[] data) throws MalformedImage {
    BmpDecoder bmp = new BmpDecoder(data);
    bmp.readHeader();
    return bmp;
  }

  String mode() {
    if (alpha) {
      return "RGBA";
    }
    return bits > 8 ? "RGB" : !gray ? "P" : palette.length / 4 == 2 ? "1" : "L";
  }

  private void readHeader() throws MalformedImage {
    offset = Bytes.u32le(data, 10);
    long header = Bytes.u32le(data, 14);
    boolean core = header == 12;
    if (!core
        && header != 40
        && header != 52
        && header != 56
        && header != 64
        && header != 108
        && header != 124) {
      throw new MalformedImage("has a BMP header of " + header + " bytes, which is no known kind");
    }
    Bytes.need(data, 14, header);
    long w = core ? Bytes.u16le(data, 18) : Bytes.u32le(data, 18);
    long h = core ? Bytes.u16le(data, 20) : Bytes.u32le(data, 22);
    topDown = !core && data[25] == -1;
    h = topDown ? (1L << 32) - h : h;
    if (w < 1 || h < 1 || w > Integer.MAX_VALUE || h > Integer.MAX_VALUE) {
      throw new MalformedImage("is a BMP of " + w + " x " + h + " pixels");
    }
    width = (int) w;
    height = (int) h;
    bits = Bytes.u16le(data, core ? 24 : 28);
    compression = core ? RAW : Bytes.u32le(data, 30);
    long colors = core ? 0 : Bytes.u32le(data, 46);
    if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
      throw new MalformedImage("is a BMP of " + bits + " bits per pixel");
    }
    colors = colors == 0 ? 1L << bits : colors;
    int next = 14 + (int) header;
    if (compression == BITFIELDS) {
      int at = header < 52 ? next : 54;
      readMasks(at, header >= 56);
      next += header < 52 ? 12 : 0;
    } else if (compression != RAW && compression != RLE8 && compression != RLE4) {
      throw new MalformedImage("is a BMP with compression " + compression);
    } else if (bits == 32) {
      masks = new int[] {0xff0000, 0xff00, 0xff};
    }
    if (bits <= 8) {
      int entry = core ? 3 : 4;
      // A stated offset equal to the end of the header would lie on the palette.
      offset += offset == 14 + header ? entry * colors : 0;
      readPalette(next, entry, colors);
      next = (int) Math.min(data.length, next + entry * colors);
    }
    offset = offset == 0 ? next : offset;
  }

  private void readMasks(int at, boolean withAlpha) throws MalformedImage {
    int[] read = new int[3];
    for (int i = 0; i < 3; i++) {
      read[i] = (int) Bytes.u32le(data, at + 4 * i);
    }
    int alphaMask = withAlpha ? (int) Bytes.u32le(data, at + 12) : 0;
    int[][] known =
        switch (bits) {
          case 32 ->
              new int[][] {
                {0xff0000, 0xff00, 0xff, 0},
                {0xff000000, 0xff0000, 0xff00, 0},
                {0xff000000, 0xff00, 0xff, 0},
                {0xff000000, 0xff0000, 0xff00, 0xff},
                {0xff, 0xff00, 0xff0000, 0xff000000},
                {0xff0000, 0xff00, 0xff, 0xff000000},
                {0xff000000, 0xff00, 0xff, 0xff0000},
                {0, 0, 0, 0}
              };
          case 24 -> new int[][] {{0xff0000, 0xff00, 0xff, alphaMask}};
          case 16 ->
              new int[][] {{0xf800, 0x7e0, 0x1f, alphaMask}, {0x7c00, 0x3e0, 0x1f, alphaMask}};
          default -> new int[0][];
        };
    int[] all = {read[0], read[1], read[2], alphaMask};
    if (Arrays.stream(known).noneMatch(mask -> Arrays.equals(mask, all))) {
      throw new MalformedImage("is a BMP with an unsupported bit field layout");
    }
    boolean none = Arrays.equals(read, new int[3]);
    alpha = bits == 32 && (none || alphaMask != 0);
    masks = none ? new int[] {0xff0000, 0xff00, 0xff} : read;
  }

  /** Stores four bytes an entry, blue first; a grey ramp means grey samples, as for Pillow. */
  private void readPalette(int at, int entry, long colors) throws MalformedImage {
    if (colors > 65536) {
      throw new MalformedImage("is a BMP with a palette of " + colors + " colours");
    }
    int stored = Math.min((int) colors, Math.max(0, data.length - at) / entry);
    palette = new byte[4 * (int) colors];
    gray = stored == colors;
    for (int i = 0; i < stored; i++) {
      System.arraycopy(data, at + i * entry, palette, 4 * i, 3);
      int level = colors == 2 ? 255 * i : i;
      for (int c = 0; c < 3; c++) {
        gray &= palette[4 * i + c] == (byte) level;
      }
    }
    if (!gray && stored > 256) {
      throw new MalformedImage("is a BMP with a palette of " + colors + " colours");
    }
    boolean odd = gray && bits != (colors == 2 ? 1 : 8) && compression == RAW;
    if (odd && colors != 2) {
      throw new MalformedImage("is a BMP with " + colors + " grey levels in " + bits + " bits");
    }
  }

  RgbImage decode() throws MalformedImage {
    byte[] rgb = new byte[3 * width * height];
    if (compression == RLE8 || compression == RLE4) {
      byte[] indices = unpackRuns();
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          putIndex(rgb, x, y, indices[y * width + x] & 0xff);
        }
      }
      return new RgbImage(width, height, rgb);
    }
    long stride = ((long) width * bits + 31) / 32 * 4;
    long needed = offset + stride * (height - 1) + ((long) width * bits + 7) / 8;
    if (needed > data.length) {
      throw new MalformedImage(
          "is truncated: the BMP pixels need " + needed + " bytes, the file has " + data.length);
    }
    for (int y = 0; y < height; y++) {
      int line = (int) (offset + stride * y);
      for (int x = 0; x < width; x++) {
        if (bits <= 8) {
          int shift = 8 - bits - x * bits % 8;
          putIndex(rgb, x, y, data[line + x * bits / 8] >> shift & (1 << bits) - 1);
        } else {
          putColor(rgb, x, y, line);
        }
      }
    }
    return new RgbImage(width, height, rgb);
  }

  private int target(int x, int y) {
    return 3 * ((topDown ? y : height - 1 - y) * width + x);
  }

  private void putIndex(byte[] rgb, int x, int y, int index) {
    int out = target(x, y);
    for (int c = 0; c < 3; c++) {
      int at = 4 * index + 2 - c;
      rgb[out + c] = at < palette.length ? palette[at] : 0;
    }
  }

  private void putColor(byte[] rgb, int x, int y, int line) throws MalformedImage {
    int out = target(x, y);
    if (bits == 24) {
      for (int c = 0; c < 3; c++) {
        rgb[out + c] = data[line + 3 * x + 2 - c];
      }
      return;
    }
    int value =
        bits == 16 ? Bytes.u16le(data, line + 2 * x) : (int) Bytes.u32le(data, line + 4 * x);
    for (int c = 0; c < 3; c++) {
      int mask = masks[c];
      int low = Integer.numberOfTrailingZeros(mask);
      int max = mask >>> low;
      rgb[out + c] = (byte) (((value & mask) >>> low) * 255 / max);
    }
  }

  /** Pillow's RLE reader: runs are cut at the row's end, a jump fills with index 0. */
  private byte[] unpackRuns() throws MalformedImage {
    byte[] out = new byte[width * height];
    boolean four = compression == RLE4;
    int in = (int) Math.min(offset, data.length);
    long n = 0;
    long x = 0;
    while (n < out.length && in + 2 <= data.length) {
      int count = data[in++] & 0xff;
      int value = data[in++] & 0xff;
      if (count > 0) {
        int run = (int) Math.max(0, Math.min(count, width - x));
        for (int i = 0; i < run; i++) {
          n = put(out, n, !four ? value : i % 2 == 0 ? value >> 4 : value & 15);
        }
        x += run;
      } else if (value == 0) {
        n = (n + width - 1) / width * width;
        x = 0;
      } else if (value == 1) {
        break;
      } else if (value == 2) {
        if (in + 2 > data.length) {
          break;
        }
        n += (data[in] & 0xff) + (long) (data[in + 1] & 0xff) * width;
        in += 2;
        x = n % width;
      } else {
        int bytes = four ? value / 2 : value;
        int end = Math.min(in + bytes, data.length);
        for (; in < end; in++) {
          int b = data[in] & 0xff;
          n = put(out, n, four ? b >> 4 : b);
          n = four ? put(out, n, b & 15) : n;
          bytes--;
        }
        if (bytes > 0) {
          break;
        }
        x += value;
        in += in % 2;
      }
    }
    if (n < out.length) {
      throw new MalformedImage("is truncated: " + n + " of " + out.length + " BMP pixels");
    }
    return out;
  }

  private static long put(byte[] out, long n, int value) {
    if (n < out.length) {
      out[(int) n] = (byte) value;
    }
    return n + 1;
  }
}
