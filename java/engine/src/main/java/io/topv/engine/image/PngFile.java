package io.topv.engine.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The chunks of a PNG, judged as Pillow judges them: checksums count before the image data and not
 * after, unknown chunks are skipped, compressed text is bounded, a missing IEND is no error but a
 * chunk that ends outside the file is.
 */
final class PngFile {
  private static final int MAX_TEXT = 1 << 20;
  private static final int MAX_TEXT_TOTAL = 64 << 20;

  /** A run of image data: {@code data[from, to)}; cut when the file ends inside it. */
  record Piece(int from, int to, boolean cut) {}

  final byte[] data;
  int width;
  int height;
  int bitDepth = -1;
  int colorType = -1;
  boolean interlaced;
  byte[] palette = {};
  byte[] exif = {};
  byte[] xmp = {};
  int frames = 1;

  /** Where the first frame lies; all of the image except in odd animations. */
  int left;

  int top;
  int frameWidth;
  int frameHeight;
  final List<Piece> pieces = new ArrayList<>();

  private int position = 8;
  private long sequence = -1;
  private boolean animated;
  private boolean hasFrame;
  private long textTotal;

  private PngFile(byte[] data) {
    this.data = data;
  }

  static PngFile read(byte[] data) throws MalformedImage {
    PngFile png = new PngFile(data);
    png.readHeaders();
    png.readPieces();
    png.readTrailer();
    return png;
  }

  /** Pillow's mode for the header, or empty when the pair of depth and colour type is illegal. */
  String mode() {
    return switch (bitDepth << 4 | colorType) {
      case 1 << 4 -> "1";
      case 2 << 4, 4 << 4, 8 << 4 -> "L";
      case 16 << 4 -> "I;16";
      case 8 << 4 | 2, 16 << 4 | 2 -> "RGB";
      case 1 << 4 | 3, 2 << 4 | 3, 4 << 4 | 3, 8 << 4 | 3 -> "P";
      case 8 << 4 | 4 -> "LA";
      case 16 << 4 | 4, 8 << 4 | 6, 16 << 4 | 6 -> "RGBA";
      default -> "";
    };
  }

  private void readHeaders() throws MalformedImage {
    while (true) {
      String name = chunkName(position);
      long length = Bytes.u32be(data, position);
      if (name.equals("IDAT") || name.equals("fdAT") || name.equals("IEND")) {
        break;
      }
      byte[] body = body(name, length);
      CRC32 crc = new CRC32();
      crc.update(data, position + 4, 4 + body.length);
      if (crc.getValue() != Bytes.u32be(data, position + 8 + body.length)) {
        throw new MalformedImage("has a wrong checksum in its " + name + " chunk");
      }
      handle(name, body);
      position += 12 + body.length;
    }
    if (width < 1 || height < 1 || mode().isEmpty()) {
      throw new MalformedImage(
          "has no usable PNG header: "
              + width
              + " x "
              + height
              + ", bit depth "
              + bitDepth
              + ", colour type "
              + colorType);
    }
    if (chunkName(position).equals("IEND")) {
      throw new MalformedImage("has no image data (IDAT) before its IEND chunk");
    }
    if (!hasFrame) {
      frameWidth = width;
      frameHeight = height;
      // The plain image comes before the first frame of the animation and is shown in its place.
      frames += animated ? 1 : 0;
    }
  }

  private void readPieces() throws MalformedImage {
    while (true) {
      // Behind complete image data, something that is no chunk ends the file without an error.
      boolean chunk = data.length - position >= 8 && isName(position + 4);
      if (!chunk || !isData(chunkName(position))) {
        return;
      }
      int skip = chunkName(position).equals("fdAT") ? 4 : 0;
      long end = position + 8 + Bytes.u32be(data, position);
      int from = Math.min(position + 8 + skip, data.length);
      int to = (int) Math.min(end, data.length);
      pieces.add(new Piece(from, Math.max(from, to), end > data.length));
      if (end > data.length - 4) {
        position = data.length;
        return;
      }
      position = (int) end + 4;
    }
  }

  private void readTrailer() throws MalformedImage {
    while (data.length - position >= 8 && isName(position + 4)) {
      String name = chunkName(position);
      if (name.equals("IEND") || name.equals("fcTL") && animated) {
        return;
      }
      byte[] body = body(name, Bytes.u32be(data, position));
      if (!isData(name)) {
        handle(name, body);
      }
      position = Math.min(position + 12 + body.length, data.length);
    }
  }

  private static boolean isData(String name) {
    return name.equals("IDAT") || name.equals("DDAT") || name.equals("fdAT");
  }

  private boolean isName(int at) throws MalformedImage {
    for (int i = at; i < at + 4; i++) {
      int c = Bytes.u8(data, i);
      if (!(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_')) {
        return false;
      }
    }
    return true;
  }

  private String chunkName(int at) throws MalformedImage {
    Bytes.need(data, at, 8);
    if (!isName(at + 4)) {
      throw new MalformedImage("is a broken PNG: no chunk begins at byte " + at);
    }
    return new String(data, at + 4, 4, StandardCharsets.ISO_8859_1);
  }

  private byte[] body(String name, long length) throws MalformedImage {
    if (length > data.length - position - 8) {
      throw new MalformedImage(
          "is truncated: chunk "
              + name
              + " at byte "
              + position
              + " claims "
              + length
              + " bytes, "
              + (data.length - position - 8)
              + " follow");
    }
    return Bytes.slice(data, position + 8, length);
  }

  private void handle(String name, byte[] body) throws MalformedImage {
    switch (name) {
      case "IHDR" -> header(body);
      case "PLTE" -> palette = colorType == 3 && pieces.isEmpty() ? body : palette;
      case "tRNS" -> atLeast(name, body, transparencyBytes());
      case "gAMA" -> atLeast(name, body, 4);
      case "sRGB" -> atLeast(name, body, 1);
      case "pHYs" -> atLeast(name, body, 9);
      case "cHRM" -> {
        if (body.length % 4 != 0) {
          throw new MalformedImage("has a cHRM chunk of " + body.length + " bytes");
        }
      }
      case "iCCP" -> colorProfile(body);
      case "tEXt" -> text(body, false);
      case "zTXt" -> text(body, true);
      case "iTXt" -> internationalText(body);
      case "eXIf" -> exif = body;
      case "acTL" -> animation(body);
      case "fcTL" -> frame(body);
      default -> {}
    }
  }

  private static void atLeast(String name, byte[] body, int bytes) throws MalformedImage {
    if (body.length < bytes) {
      throw new MalformedImage(
          "has a truncated " + name + " chunk: " + body.length + " bytes, needs " + bytes);
    }
  }

  private int transparencyBytes() {
    return switch (mode()) {
      case "1", "L", "I;16" -> 2;
      case "RGB" -> 6;
      default -> 0;
    };
  }

  private void header(byte[] body) throws MalformedImage {
    atLeast("IHDR", body, 13);
    long w = Bytes.u32be(body, 0);
    long h = Bytes.u32be(body, 4);
    if (w > Integer.MAX_VALUE || h > Integer.MAX_VALUE) {
      throw new MalformedImage("claims " + w + " x " + h + " pixels");
    }
    if (body[11] != 0) {
      throw new MalformedImage("has an unknown PNG filter method: " + (body[11] & 0xff));
    }
    if (!pieces.isEmpty()) {
      return; // a second header behind the pixels it would describe
    }
    width = (int) w;
    height = (int) h;
    bitDepth = body[8] & 0xff;
    colorType = body[9] & 0xff;
    interlaced = body[12] != 0;
  }

  private void colorProfile(byte[] body) throws MalformedImage {
    int method = indexOfZero(body, 0) + 1;
    if (Bytes.u8(body, method) != 0) {
      throw new MalformedImage("has an iCCP chunk of unknown compression " + body[method]);
    }
    countText(inflate(body, method + 1).length);
  }

  private void text(byte[] body, boolean compressed) throws MalformedImage {
    int split = indexOfZero(body, 0);
    int key = split < 0 ? body.length : split;
    byte[] value = split < 0 ? new byte[0] : Arrays.copyOfRange(body, split + 1, body.length);
    if (compressed) {
      if (value.length > 0 && value[0] != 0) {
        throw new MalformedImage("has a zTXt chunk of unknown compression " + value[0]);
      }
      value = value.length > 0 ? inflate(value, 1) : value;
    }
    if (key == 0) {
      return;
    }
    countText(value.length);
    keep(new String(body, 0, key, StandardCharsets.ISO_8859_1), value, compressed);
  }

  private void keep(String key, byte[] value, boolean compressed) {
    if (key.equals("exif") && !compressed) {
      exif = value;
    } else if (key.equals("Raw profile type exif") && exif.length == 0) {
      exif = fromHex(new String(value, StandardCharsets.ISO_8859_1));
    } else if (key.equals("XML:com.adobe.xmp")) {
      xmp = value;
    }
  }

  private void internationalText(byte[] body) throws MalformedImage {
    int key = indexOfZero(body, 0);
    if (key < 0 || body.length < key + 3) {
      return;
    }
    int language = indexOfZero(body, key + 3);
    int translated = language < 0 ? -1 : indexOfZero(body, language + 1);
    if (translated < 0) {
      return;
    }
    byte[] value = Arrays.copyOfRange(body, translated + 1, body.length);
    if (body[key + 1] != 0) {
      if (body[key + 2] != 0) {
        return;
      }
      value = inflate(value, 0);
    }
    countText(value.length);
    keep(new String(body, 0, key, StandardCharsets.ISO_8859_1), value, true);
  }

  private void countText(int bytes) throws MalformedImage {
    textTotal += bytes;
    if (textTotal > MAX_TEXT_TOTAL) {
      throw new MalformedImage("holds more than " + MAX_TEXT_TOTAL + " bytes of text");
    }
  }

  /**
   * Empty when the data is not deflate: text that cannot be read is no reason to refuse an image.
   */
  private static byte[] inflate(byte[] body, int from) throws MalformedImage {
    if (from >= body.length) {
      return new byte[0];
    }
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(body, from, body.length - from);
      byte[] out = new byte[MAX_TEXT];
      int n = 0;
      while (n < out.length && !inflater.finished()) {
        int got = inflater.inflate(out, n, out.length - n);
        if (got == 0) {
          break;
        }
        n += got;
      }
      if (n == out.length && !inflater.finished() && inflater.getRemaining() > 0) {
        throw new MalformedImage("has a text or profile chunk above " + MAX_TEXT + " bytes");
      }
      return Arrays.copyOf(out, n);
    } catch (DataFormatException e) {
      return new byte[0];
    } finally {
      inflater.end();
    }
  }

  private void animation(byte[] body) throws MalformedImage {
    atLeast("acTL", body, 8);
    long count = Bytes.u32be(body, 0);
    if (!pieces.isEmpty()) {
      return;
    }
    animated = !animated && count > 0 && count <= 0x8000_0000L;
    frames = animated ? (int) Math.min(count, Integer.MAX_VALUE - 1) : 1;
  }

  private void frame(byte[] body) throws MalformedImage {
    atLeast("fcTL", body, 26);
    if (Bytes.u32be(body, 0) != ++sequence) {
      throw new MalformedImage("has animation frames out of sequence");
    }
    long w = Bytes.u32be(body, 4);
    long h = Bytes.u32be(body, 8);
    long x = Bytes.u32be(body, 12);
    long y = Bytes.u32be(body, 16);
    if (x + w > width || y + h > height || w == 0 || h == 0) {
      throw new MalformedImage("has an animation frame outside the image");
    }
    if (pieces.isEmpty()) {
      hasFrame = true;
      left = (int) x;
      top = (int) y;
      frameWidth = (int) w;
      frameHeight = (int) h;
    }
  }

  private static int indexOfZero(byte[] body, int from) {
    for (int i = from; i < body.length; i++) {
      if (body[i] == 0) {
        return i;
      }
    }
    return -1;
  }

  /** ImageMagick's way to store EXIF: three header lines, then hexadecimal digits. */
  private static byte[] fromHex(String profile) {
    String[] lines = profile.split("\n", 4);
    String digits = lines.length < 4 ? "" : lines[3].replaceAll("\\s", "");
    byte[] out = new byte[digits.length() / 2];
    for (int i = 0; i < out.length; i++) {
      int high = Character.digit(digits.charAt(2 * i), 16);
      int low = Character.digit(digits.charAt(2 * i + 1), 16);
      if (high < 0 || low < 0) {
        return new byte[0];
      }
      out[i] = (byte) (high << 4 | low);
    }
    return out;
  }
}
