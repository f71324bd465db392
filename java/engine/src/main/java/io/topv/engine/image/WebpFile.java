package io.topv.engine.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * WebP: the RIFF container is read here, for size, metadata and the first frame of an animation;
 * the pixels come from libwebp. Transparency is dropped without compositing.
 */
final class WebpFile {
  private static final int EXIF_FLAG = 8;
  private static final int XMP_FLAG = 4;
  private static final int ALPHA_FLAG = 16;
  private static final int ANIMATION_FLAG = 2;

  private final byte[] data;
  private final int end;
  int width;
  int height;
  boolean alpha;
  byte[] exif = {};
  byte[] xmp = {};
  int frames;

  private int left;
  private int top;
  private int frameWidth;
  private int frameHeight;
  private int alphaAt = -1;
  private int imageAt = -1;

  private WebpFile(byte[] data) throws MalformedImage {
    this.data = data;
    long riff = 8 + Bytes.u32le(data, 4);
    if (riff > data.length || riff < 20) {
      throw new MalformedImage(
          "is truncated: the WebP claims " + riff + " bytes, the file has " + data.length);
    }
    end = (int) riff;
  }

  static WebpFile read(byte[] data) throws MalformedImage {
    WebpFile webp = new WebpFile(data);
    webp.readChunks();
    return webp;
  }

  String mode() {
    return alpha ? "RGBA" : "RGB";
  }

  private void readChunks() throws MalformedImage {
    if (!Bytes.startsWith(data, 12, "VP8X")) {
      readImage(12, end);
      width = frameWidth;
      height = frameHeight;
      frames = 1;
      return;
    }
    int flags = Bytes.u8(data, 20);
    width = 1 + Bytes.u24le(data, 24);
    height = 1 + Bytes.u24le(data, 27);
    alpha = (flags & ALPHA_FLAG) != 0;
    for (int at = chunkEnd(12, end); end - at >= 8; at = chunkEnd(at, end)) {
      if (Bytes.startsWith(data, at, "EXIF") && (flags & EXIF_FLAG) != 0 && exif.length == 0) {
        exif = body(at);
      } else if (Bytes.startsWith(data, at, "XMP ") && (flags & XMP_FLAG) != 0) {
        xmp = xmp.length == 0 ? body(at) : xmp;
      } else if (Bytes.startsWith(data, at, "ANMF") && (flags & ANIMATION_FLAG) != 0) {
        readFrame(at);
      } else if (imageAt < 0 && (flags & ANIMATION_FLAG) == 0 && isImage(at)) {
        at = readImage(at, end);
        frames = 1;
        if (frameWidth != width || frameHeight != height) {
          throw new MalformedImage("is a WebP whose canvas and image differ in size");
        }
        continue;
      }
    }
    if (imageAt < 0) {
      throw new MalformedImage("is a WebP without an image");
    }
  }

  private boolean isImage(int at) {
    return Bytes.startsWith(data, at, "VP8 ")
        || Bytes.startsWith(data, at, "VP8L")
        || Bytes.startsWith(data, at, "ALPH");
  }

  private int chunkEnd(int at, int limit) throws MalformedImage {
    long size = Bytes.u32le(data, at + 4);
    long next = at + 8 + size + (size & 1);
    if (next > limit) {
      throw new MalformedImage("is truncated: the WebP chunk at byte " + at + " is cut");
    }
    return (int) next;
  }

  private byte[] body(int at) throws MalformedImage {
    return Bytes.slice(data, at + 8, Bytes.u32le(data, at + 4));
  }

  private void readFrame(int at) throws MalformedImage {
    int next = chunkEnd(at, end);
    if (frames++ > 0) {
      return;
    }
    left = 2 * Bytes.u24le(data, at + 8);
    top = 2 * Bytes.u24le(data, at + 11);
    int w = 1 + Bytes.u24le(data, at + 14);
    int h = 1 + Bytes.u24le(data, at + 17);
    readImage(at + 24, next);
    if (w != frameWidth || h != frameHeight || left + w > width || top + h > height) {
      throw new MalformedImage("is a WebP whose first frame does not fit its canvas");
    }
  }

  /** Notes an image with the alpha chunk before it; returns where its last chunk begins. */
  private int readImage(int from, int limit) throws MalformedImage {
    int at = from;
    if (Bytes.startsWith(data, at, "ALPH")) {
      alphaAt = at;
      alpha = true;
      at = chunkEnd(at, limit);
    }
    chunkEnd(at, limit);
    if (Bytes.startsWith(data, at, "VP8L")) {
      long bits = Bytes.u32le(data, at + 9);
      if (Bytes.u8(data, at + 8) != 0x2f || bits >> 29 != 0) {
        throw new MalformedImage("is a broken lossless WebP");
      }
      frameWidth = 1 + (int) (bits & 0x3fff);
      frameHeight = 1 + (int) (bits >> 14 & 0x3fff);
      alpha |= (bits >> 28 & 1) != 0;
    } else if (Bytes.startsWith(data, at, "VP8 ")) {
      boolean key = (Bytes.u8(data, at + 8) & 1) == 0;
      if (!key || Bytes.u24le(data, at + 11) != 0x2a019d) {
        throw new MalformedImage("is a broken lossy WebP");
      }
      frameWidth = Bytes.u16le(data, at + 14) & 0x3fff;
      frameHeight = Bytes.u16le(data, at + 16) & 0x3fff;
      if (frameWidth == 0 || frameHeight == 0) {
        throw new MalformedImage("is a WebP of " + frameWidth + " x " + frameHeight + " pixels");
      }
    } else {
      throw new MalformedImage("is a WebP without an image");
    }
    imageAt = at;
    return at;
  }

  RgbImage decode() throws MalformedImage {
    int[] argb = readPixels();
    byte[] rgb = new byte[3 * width * height];
    for (int y = 0; y < frameHeight; y++) {
      int out = 3 * ((top + y) * width + left);
      for (int x = 0; x < frameWidth; x++, out += 3) {
        int pixel = argb[y * frameWidth + x];
        rgb[out] = (byte) (pixel >> 16);
        rgb[out + 1] = (byte) (pixel >> 8);
        rgb[out + 2] = (byte) pixel;
      }
    }
    return new RgbImage(width, height, rgb);
  }

  /** ARGB of the first frame. */
  private int[] readPixels() throws MalformedImage {
    ImageReader reader = webpReader();
    byte[] still = still();
    try (MemoryCacheImageInputStream input =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(still))) {
      reader.setInput(input, true, true);
      BufferedImage image = reader.read(0);
      if (image.getWidth() != frameWidth
          || image.getHeight() != frameHeight
          || !(image.getRaster().getDataBuffer() instanceof DataBufferInt buffer)) {
        throw new MalformedImage("is a WebP whose header and pixels disagree");
      }
      return buffer.getData();
    } catch (IOException | RuntimeException e) {
      throw new MalformedImage("is a broken WebP: " + e.getMessage());
    } finally {
      reader.dispose();
    }
  }

  private static ImageReader webpReader() throws MalformedImage {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("webp");
    if (!readers.hasNext()) {
      throw new MalformedImage("cannot be decoded: webp-imageio is not on the class path");
    }
    return readers.next();
  }

  /** The first frame as a WebP file of its own. */
  private byte[] still() throws MalformedImage {
    ByteArrayOutputStream chunks = new ByteArrayOutputStream();
    if (alphaAt >= 0 && Bytes.startsWith(data, imageAt, "VP8 ")) {
      chunks.writeBytes(header("VP8X", 10));
      chunks.writeBytes(new byte[] {ALPHA_FLAG, 0, 0, 0});
      chunks.writeBytes(le24(frameWidth - 1));
      chunks.writeBytes(le24(frameHeight - 1));
      copyChunk(alphaAt, chunks);
    }
    copyChunk(imageAt, chunks);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(header("RIFF", 4 + chunks.size()));
    file.writeBytes(new byte[] {'W', 'E', 'B', 'P'});
    file.writeBytes(chunks.toByteArray());
    return file.toByteArray();
  }

  private void copyChunk(int at, ByteArrayOutputStream out) throws MalformedImage {
    out.write(data, at, chunkEnd(at, data.length) - at);
  }

  private static byte[] header(String name, int size) {
    return new byte[] {
      (byte) name.charAt(0), (byte) name.charAt(1), (byte) name.charAt(2), (byte) name.charAt(3),
      (byte) size, (byte) (size >> 8), (byte) (size >> 16), (byte) (size >> 24)
    };
  }

  private static byte[] le24(int value) {
    return new byte[] {(byte) value, (byte) (value >> 8), (byte) (value >> 16)};
  }
}
