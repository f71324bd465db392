package io.topv.engine.image;

import java.io.ByteArrayOutputStream;

/**
 * The segments of a JPEG: size, colour space, metadata, and whether the file is whole. The bytes
 * handed to the pixel decoder are rebuilt here without application segments, so that no colour
 * profile, thumbnail or Adobe flag changes what it does.
 */
final class JpegFile {
  /** How component samples become RGB, decided as libjpeg decides it. */
  enum Color {
    GRAY,
    RGB,
    YCC,
    CMYK,
    YCCK
  }

  private final byte[] data;
  int width;
  int height;
  Color color;
  byte[] exif = {};
  byte[] xmp = {};
  int frames = 1;

  /** Component sampling factors, horizontal and vertical; one entry per component. */
  int[] horizontal = {};

  int[] vertical = {};
  private int[] ids = {};
  private int frameType;
  private boolean jfif;
  private int adobeTransform = -1;
  private boolean ultraHdr;

  private JpegFile(byte[] data) {
    this.data = data;
  }

  static JpegFile read(byte[] data) throws MalformedImage {
    JpegFile jpeg = new JpegFile(data);
    jpeg.readHeader();
    return jpeg;
  }

  String mode() {
    return color == Color.GRAY ? "L" : ids.length == 3 ? "RGB" : "CMYK";
  }

  private void readHeader() throws MalformedImage {
    int at = 2;
    while (true) {
      at = nextMarker(at);
      int marker = Bytes.u8(data, at++);
      if (marker == 0x01 || marker > 0x01 && marker < 0xc0) {
        throw new MalformedImage(String.format("is a JPEG with an unknown marker FF%02X", marker));
      }
      if (!hasBody(marker)) {
        continue;
      }
      int length = Math.max(2, Bytes.u16be(data, at));
      Bytes.need(data, at, length);
      byte[] body = Bytes.slice(data, at + 2, length - 2);
      if (marker == 0xda) {
        break;
      }
      handle(marker, body);
      at += length;
    }
    if (frameType == 0) {
      throw new MalformedImage("is a JPEG without a frame header before its scan");
    }
    if (width < 1 || height < 1) {
      throw new MalformedImage("is a JPEG of " + width + " x " + height + " pixels");
    }
    if (frameType > 0xc2) {
      throw new MalformedImage(
          String.format(
              "is a lossless, hierarchical or arithmetic-coded JPEG (SOF%d); only baseline and"
                  + " progressive Huffman coding are decoded",
              frameType - 0xc0));
    }
    color = chooseColor();
    frames = ultraHdr ? 1 : frames;
  }

  /** Offset of the marker code after the next run of FF bytes. */
  private int nextMarker(int at) throws MalformedImage {
    int p = at;
    while (true) {
      while (Bytes.u8(data, p) != 0xff) {
        p++;
      }
      while (Bytes.u8(data, p) == 0xff) {
        p++;
      }
      if (data[p] != 0) {
        return p;
      }
    }
  }

  private static boolean hasBody(int marker) {
    boolean restart = marker >= 0xd0 && marker <= 0xd9;
    return marker >= 0xc0 && marker != 0xc8 && !restart && (marker < 0xf0 || marker == 0xfe);
  }

  private void handle(int marker, byte[] body) throws MalformedImage {
    boolean frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xcc;
    if (frame || marker == 0xde) {
      readFrame(marker, body);
    } else if (marker == 0xdb) {
      checkTables(body);
    } else if (marker == 0xe0 && Bytes.startsWith(body, 0, "JFIF")) {
      Bytes.need(body, 5, 2);
      jfif |= body.length >= 14 && body[4] == 0;
    } else if (marker == 0xee && Bytes.startsWith(body, 0, "Adobe")) {
      Bytes.need(body, 5, 2);
      adobeTransform = body.length >= 12 ? body[11] & 0xff : adobeTransform;
    } else if (marker == 0xe1 && Bytes.startsWith(body, 0, "Exif\0\0")) {
      exif = exif.length == 0 ? body : join(exif, body, 6);
    } else if (marker == 0xe1 && Bytes.startsWith(body, 0, "http://ns.adobe.com/xap/1.0/\0")) {
      xmp = join(new byte[0], body, 29);
      ultraHdr |=
          new String(body, java.nio.charset.StandardCharsets.ISO_8859_1)
              .contains(" hdrgm:Version=\"");
    } else if (marker == 0xe2 && Bytes.startsWith(body, 0, "MPF\0")) {
      frames = multiPictureCount(body);
    }
  }

  private void readFrame(int marker, byte[] body) throws MalformedImage {
    int precision = Bytes.u8(body, 0);
    int components = Bytes.u8(body, 5);
    if (precision != 8) {
      throw new MalformedImage("is a JPEG of " + precision + " bits per sample; 8 are decoded");
    }
    if (components != 1 && components != 3 && components != 4) {
      throw new MalformedImage("is a JPEG of " + components + " components; 1, 3 or 4 are decoded");
    }
    Bytes.need(body, 6, 3L * components);
    if (body.length % 3 != 0) {
      throw new MalformedImage("is a JPEG with a frame header of " + body.length + " bytes");
    }
    frameType = marker;
    height = Bytes.u16be(body, 1);
    width = Bytes.u16be(body, 3);
    ids = new int[components];
    horizontal = new int[components];
    vertical = new int[components];
    for (int i = 0; i < components; i++) {
      ids[i] = body[6 + 3 * i] & 0xff;
      horizontal[i] = body[7 + 3 * i] >> 4 & 15;
      vertical[i] = body[7 + 3 * i] & 15;
    }
  }

  private static void checkTables(byte[] body) throws MalformedImage {
    int at = 0;
    while (at < body.length) {
      int size = 1 + (body[at] >> 4 == 0 ? 64 : 128);
      if (body.length - at < size) {
        throw new MalformedImage("is a JPEG with a cut quantization table");
      }
      at += size;
    }
  }

  private Color chooseColor() {
    boolean rgbIds = ids.length == 3 && ids[0] == 'R' && ids[1] == 'G' && ids[2] == 'B';
    return switch (ids.length) {
      case 1 -> Color.GRAY;
      case 3 -> {
        boolean plain = !jfif && (adobeTransform == 0 || adobeTransform < 0 && rgbIds);
        yield plain ? Color.RGB : Color.YCC;
      }
      default -> adobeTransform <= 0 ? Color.CMYK : Color.YCCK;
    };
  }

  /** Images of an MPO file, from the index in its APP2 segment; 1 when the index is unreadable. */
  private static int multiPictureCount(byte[] body) {
    try {
      boolean little = Bytes.startsWith(body, 4, "II");
      int at = 4 + (int) (little ? Bytes.u32le(body, 8) : Bytes.u32be(body, 8));
      int entries = little ? Bytes.u16le(body, at) : Bytes.u16be(body, at);
      for (int i = 0; i < entries; i++, at += 12) {
        int tag = little ? Bytes.u16le(body, at + 2) : Bytes.u16be(body, at + 2);
        if (tag == 0xb001) {
          long count = little ? Bytes.u32le(body, at + 10) : Bytes.u32be(body, at + 10);
          return (int) Math.max(1, Math.min(count, 65535));
        }
      }
    } catch (MalformedImage e) {
      return 1;
    }
    return 1;
  }

  private static byte[] join(byte[] head, byte[] body, int from) {
    byte[] out = java.util.Arrays.copyOf(head, head.length + body.length - from);
    System.arraycopy(body, from, out, head.length, body.length - from);
    return out;
  }

  /**
   * The stream up to its end marker, without application and comment segments.
   *
   * @throws MalformedImage when the file ends before the end marker, as Pillow demands one
   */
  byte[] withoutMetadata() throws MalformedImage {
    ByteArrayOutputStream out = new ByteArrayOutputStream(data.length);
    out.write(data, 0, 2);
    int at = 2;
    try {
      while (true) {
        at = nextMarker(at);
        int marker = Bytes.u8(data, at++);
        int length = hasBody(marker) ? Math.max(2, Bytes.u16be(data, at)) : 0;
        Bytes.need(data, at, length);
        boolean metadata = marker >= 0xe0 && marker <= 0xef || marker == 0xfe;
        int end = at + length;
        if (marker == 0xda) {
          end = endOfEntropy(end);
        }
        if (!metadata) {
          out.write(0xff);
          out.write(marker);
          out.write(data, at, end - at);
        }
        if (marker == 0xd9) {
          return out.toByteArray();
        }
        at = end;
      }
    } catch (MalformedImage e) {
      throw new MalformedImage("is truncated: the JPEG ends before its end marker");
    }
  }

  private int endOfEntropy(int from) throws MalformedImage {
    int p = from;
    while (true) {
      while (Bytes.u8(data, p) != 0xff) {
        p++;
      }
      int next = Bytes.u8(data, p + 1);
      if (next == 0 || next >= 0xd0 && next <= 0xd7) {
        p += 2;
      } else if (next == 0xff) {
        p++;
      } else {
        return p;
      }
    }
  }
}
