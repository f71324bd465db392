package io.topv.engine.image;

import java.util.Arrays;

/** The first frame of a GIF, on its screen. */
final class GifDecoder {
  private static final int MAX_CODES = 4096;

  private final byte[] data;
  private int position;

  int width;
  int height;
  private byte[] palette = {};
  private int left;
  private int top;
  private int frameWidth;
  private int frameHeight;
  private boolean interlaced;
  private int background;
  private int codeBits;

  private GifDecoder(byte[] data) {
    this.data = data;
  }

  static GifDecoder read(byte[] data) throws MalformedImage {
    GifDecoder gif = new GifDecoder(data);
    gif.readScreen();
    gif.readBlocks();
    if (gif.width < 1 || gif.height < 1 || gif.frameWidth < 1 || gif.frameHeight < 1) {
      throw new MalformedImage(
          "has a GIF frame of "
              + gif.frameWidth
              + " x "
              + gif.frameHeight
              + " on a screen of "
              + gif.width
              + " x "
              + gif.height);
    }
    return gif;
  }

  String mode() {
    return palette.length == 0 ? "L" : "P";
  }

  private void readScreen() throws MalformedImage {
    if (!Bytes.startsWith(data, 0, "GIF87a") && !Bytes.startsWith(data, 0, "GIF89a")) {
      throw new MalformedImage("is not a GIF of version 87a or 89a");
    }
    width = Bytes.u16le(data, 6);
    height = Bytes.u16le(data, 8);
    int flags = Bytes.u8(data, 10);
    position = 13;
    if ((flags & 0x80) != 0) {
      palette = readPalette(flags);
    }
  }

  private void readBlocks() throws MalformedImage {
    while (true) {
      int kind = Bytes.u8(data, position++);
      if (kind == ';') {
        throw new MalformedImage("is a GIF without an image");
      } else if (kind == '!') {
        readExtension();
      } else if (kind == ',') {
        readFrame();
        return;
      }
    }
  }

  private void readExtension() throws MalformedImage {
    int label = Bytes.u8(data, position++);
    int size = Bytes.u8(data, position);
    if (label == 0xf9 && size > 0 && (Bytes.u8(data, position + 1) & 1) != 0) {
      background = Bytes.u8(data, position + 4);
    }
    while (size != 0) {
      position += 1 + size;
      size = Bytes.u8(data, position);
    }
    position++;
  }

  private void readFrame() throws MalformedImage {
    left = Bytes.u16le(data, position);
    top = Bytes.u16le(data, position + 2);
    frameWidth = Bytes.u16le(data, position + 4);
    frameHeight = Bytes.u16le(data, position + 6);
    width = Math.max(width, left + frameWidth);
    height = Math.max(height, top + frameHeight);
    int flags = Bytes.u8(data, position + 8);
    position += 9;
    interlaced = (flags & 0x40) != 0;
    if ((flags & 0x80) != 0) {
      palette = readPalette(flags);
    }
    codeBits = Bytes.u8(data, position++);
  }

  /** Empty, which means grey, when every entry is its own index: Pillow's rule. */
  private byte[] readPalette(int flags) throws MalformedImage {
    byte[] read = Bytes.slice(data, position, 3L << (flags & 7) + 1);
    position += read.length;
    for (int i = 0; i < read.length; i++) {
      if (read[i] != (byte) (i / 3)) {
        return read;
      }
    }
    return new byte[0];
  }

  RgbImage decode() throws MalformedImage {
    if (codeBits > 12) {
      throw new MalformedImage("has GIF data with codes of " + codeBits + " bits, at most 12");
    }
    byte[] colors = new byte[3 * 256];
    for (int i = 0; i < colors.length; i++) {
      colors[i] = (byte) (palette.length == 0 ? i / 3 : i < palette.length ? palette[i] : 0);
    }
    byte[] indices = new byte[width * height];
    Arrays.fill(indices, (byte) background);
    new Lzw(indices).run();
    byte[] rgb = new byte[3 * indices.length];
    for (int i = 0; i < indices.length; i++) {
      System.arraycopy(colors, 3 * (indices[i] & 0xff), rgb, 3 * i, 3);
    }
    return new RgbImage(width, height, rgb);
  }

  /** Variable-width LZW over sub-blocks; a code expands backwards, through its prefix links. */
  private final class Lzw {
    private final byte[] indices;
    private final byte[] suffix = new byte[MAX_CODES];
    private final short[] prefix = new short[MAX_CODES];
    private final byte[] string = new byte[MAX_CODES];
    private final int clear = 1 << codeBits;
    private int block;
    private int bits;
    private int bitCount;
    private int x;
    private int y;
    private int step = interlaced ? 8 : 1;
    private int pass;
    private boolean done;

    Lzw(byte[] indices) {
      this.indices = indices;
    }

    void run() throws MalformedImage {
      int next = clear + 2;
      int size = codeBits + 1;
      int last = -1;
      byte first = 0;
      while (!done) {
        int code = code(size);
        if (code == clear) {
          next = clear + 2;
          size = codeBits + 1;
          last = -1;
        } else if (code == clear + 1) {
          throw new MalformedImage("is truncated: its GIF data ends in row " + y);
        } else if (last < 0) {
          if (code > clear) {
            throw broken(code);
          }
          first = (byte) code;
          last = code;
          put(first);
        } else {
          if (code > next) {
            throw broken(code);
          }
          int at = MAX_CODES;
          int walk = code;
          if (code == next) {
            string[--at] = first;
            walk = last;
          }
          while (walk >= clear) {
            if (at == 0 || walk >= MAX_CODES) {
              throw broken(code);
            }
            string[--at] = suffix[walk];
            walk = prefix[walk];
          }
          first = (byte) walk;
          if (next < MAX_CODES) {
            suffix[next] = first;
            prefix[next] = (short) last;
            if (next == (1 << size) - 1 && size < 12) {
              size++;
            }
            next++;
          }
          last = code;
          put(first);
          for (; at < MAX_CODES && !done; at++) {
            put(string[at]);
          }
        }
      }
    }

    private MalformedImage broken(int code) {
      return new MalformedImage("has broken GIF data: code " + code + " in row " + y);
    }

    private int code(int size) throws MalformedImage {
      while (bitCount < size) {
        if (block == 0) {
          block = Bytes.u8(data, position);
          Bytes.need(data, position + 1, block);
          position++;
          continue;
        }
        bits |= (data[position++] & 0xff) << bitCount;
        bitCount += 8;
        block--;
      }
      int code = bits & (1 << size) - 1;
      bits >>>= size;
      bitCount -= size;
      return code;
    }

    private void put(byte index) {
      indices[(top + y) * width + left + x] = index;
      if (++x < frameWidth) {
        return;
      }
      x = 0;
      y += step;
      while (y >= frameHeight && !done) {
        // Interlaced rows come as 0 8 16 ..., 4 12 ..., 2 6 ..., 1 3 ...
        pass++;
        done = !interlaced || pass > 3;
        y = 8 >> Math.min(pass, 3);
        step = 2 * y;
      }
    }
  }
}
