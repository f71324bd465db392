package io.topv.engine.image;

import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * EXIF orientation: found as Pillow's {@code getexif} finds it, applied as {@code exif_transpose}
 * applies it. Metadata that cannot be read means "as stored", never a failed image.
 */
final class Orientation {
  private static final int TAG = 0x0112;
  private static final Pattern XMP = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");

  private Orientation() {}

  /**
   * @param exif TIFF structure, with or without the "Exif\0\0" in front; empty when the file has
   *     none
   * @param xmp XMP packet, asked only when EXIF has no orientation; empty when the file has none
   * @return 1..8
   */
  static int find(byte[] exif, byte[] xmp) {
    int value;
    try {
      value = fromExif(exif).orElseGet(() -> fromXmp(xmp));
    } catch (MalformedImage e) {
      value = fromXmp(xmp);
    }
    return value >= 1 && value <= 8 ? value : 1;
  }

  private static int fromXmp(byte[] xmp) {
    Matcher match = XMP.matcher(new String(xmp, StandardCharsets.ISO_8859_1));
    return match.find() ? match.group(1).charAt(0) - '0' : 1;
  }

  private static OptionalInt fromExif(byte[] exif) throws MalformedImage {
    int base = 0;
    while (Bytes.startsWith(exif, base, "Exif\0\0")) {
      base += 6;
    }
    boolean little = Bytes.startsWith(exif, base, "II");
    boolean tiff =
        little
            ? Bytes.startsWith(exif, base, "II*\0") || Bytes.startsWith(exif, base, "II\0*")
            : Bytes.startsWith(exif, base, "MM\0*") || Bytes.startsWith(exif, base, "MM*\0");
    if (!tiff) {
      return OptionalInt.empty();
    }
    Tiff block = new Tiff(exif, base, little);
    OptionalInt found = OptionalInt.empty();
    try {
      long ifd = block.u32(4);
      int entries = block.u16(ifd);
      for (int i = 0; i < entries; i++) {
        long entry = ifd + 2 + 12L * i;
        int tag = block.u16(entry);
        int type = block.u16(entry + 2);
        long size = block.u32(entry + 4) * typeSize(type);
        long at = size > 4 ? block.u32(entry + 8) : entry + 8;
        block.u32(entry + 8);
        // A value outside the block ends the directory for Pillow; what came before it still
        // counts.
        block.need(at, size);
        if (tag == TAG && size > 0) {
          found = OptionalInt.of(block.integer(type, at));
        }
      }
    } catch (MalformedImage e) {
      return found;
    }
    return found;
  }

  private static int typeSize(int type) {
    return switch (type) {
      case 1, 2, 6, 7 -> 1;
      case 3, 8 -> 2;
      case 4, 9, 11, 13 -> 4;
      case 5, 10, 12, 16 -> 8;
      default -> 0;
    };
  }

  private record Tiff(byte[] data, int base, boolean little) {
    void need(long at, long size) throws MalformedImage {
      if (at < 0 || base + at + size > data.length) {
        throw new MalformedImage("EXIF directory points outside its block");
      }
    }

    int u16(long at) throws MalformedImage {
      need(at, 2);
      int p = (int) (base + at);
      return little ? Bytes.u16le(data, p) : Bytes.u16be(data, p);
    }

    long u32(long at) throws MalformedImage {
      need(at, 4);
      int p = (int) (base + at);
      return little ? Bytes.u32le(data, p) : Bytes.u32be(data, p);
    }

    /** 0, which means nothing, for types that hold no integer. */
    int integer(int type, long at) throws MalformedImage {
      return switch (type) {
        case 3, 8 -> u16(at);
        case 4, 9, 13 -> (int) Math.min(u32(at), 9);
        case 6 -> data[(int) (base + at)];
        default -> 0;
      };
    }
  }

  /** Turns the stored image upright; {@code orientation} 1 gives the image itself back. */
  static RgbImage apply(RgbImage image, int orientation) {
    if (orientation == 1) {
      return image;
    }
    int w = image.width();
    int h = image.height();
    // A stored pixel (x, y) goes to start + x * dx + y * dy of the upright image.
    boolean swap = orientation >= 5;
    int outWidth = swap ? h : w;
    int outHeight = swap ? w : h;
    boolean flipX = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    boolean flipY = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    int right = flipX ? -1 : 1;
    int down = flipY ? -outWidth : outWidth;
    int start = (flipX ? outWidth - 1 : 0) + (flipY ? (outHeight - 1) * outWidth : 0);
    int dx = swap ? down : right;
    int dy = swap ? right : down;
    byte[] in = image.pixels();
    byte[] out = new byte[in.length];
    int from = 0;
    for (int y = 0; y < h; y++) {
      int to = start + y * dy;
      for (int x = 0; x < w; x++, to += dx, from += 3) {
        out[3 * to] = in[from];
        out[3 * to + 1] = in[from + 1];
        out[3 * to + 2] = in[from + 2];
      }
    }
    return new RgbImage(outWidth, outHeight, out);
  }
}
