package io.topv.engine.image;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
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

  /** An image inside the file: where it lies on the canvas, and its chunks; -1 for no alpha. */
  private record Frame(int left, int top, int width, int height, int alphaAt, int imageAt) {}

  private Frame first;

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
      first = readImage(12, end, 0, 0);
      width = first.width;
      height = first.height;
      alpha = hasAlpha(first);
      frames = 1;
      return;
    }
    int flags = Bytes.u8(data, 20);
    boolean animated = (flags & ANIMATION_FLAG) != 0;
    width = 1 + Bytes.u24le(data, 24);
    height = 1 + Bytes.u24le(data, 27);
    alpha = (flags & ALPHA_FLAG) != 0;
    for (int at = chunkEnd(12, end); end - at >= 8; at = chunkEnd(at, end)) {
      if (Bytes.startsWith(data, at, "EXIF") && (flags & EXIF_FLAG) != 0 && exif.length == 0) {
        exif = body(at);
      } else if (Bytes.startsWith(data, at, "XMP ") && (flags & XMP_FLAG) != 0) {
        xmp = xmp.length == 0 ? body(at) : xmp;
      } else if (Bytes.startsWith(data, at, "ANMF") && animated) {
        first = frames++ == 0 ? readFrame(at) : first;
      } else if (first == null && !animated && isImage(at)) {
        first = readImage(at, end, 0, 0);
        at = first.imageAt;
        frames = 1;
        if (first.width != width || first.height != height) {
          throw new MalformedImage("is a WebP whose canvas and image differ in size");
        }
      }
    }
    if (first == null) {
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

  private Frame readFrame(int at) throws MalformedImage {
    int left = 2 * Bytes.u24le(data, at + 8);
    int top = 2 * Bytes.u24le(data, at + 11);
    int w = 1 + Bytes.u24le(data, at + 14);
    int h = 1 + Bytes.u24le(data, at + 17);
    Frame frame = readImage(at + 24, chunkEnd(at, end), left, top);
    if (w != frame.width || h != frame.height || left + w > width || top + h > height) {
      throw new MalformedImage("is a WebP with a frame that does not fit its canvas");
    }
    return frame;
  }

  private Frame readImage(int from, int limit, int left, int top) throws MalformedImage {
    boolean separateAlpha = Bytes.startsWith(data, from, "ALPH");
    int at = separateAlpha ? chunkEnd(from, limit) : from;
    chunkEnd(at, limit);
    int w;
    int h;
    if (Bytes.startsWith(data, at, "VP8L")) {
      long bits = Bytes.u32le(data, at + 9);
      if (Bytes.u8(data, at + 8) != 0x2f || bits >> 29 != 0) {
        throw new MalformedImage("is a broken lossless WebP");
      }
      w = 1 + (int) (bits & 0x3fff);
      h = 1 + (int) (bits >> 14 & 0x3fff);
    } else if (Bytes.startsWith(data, at, "VP8 ")) {
      boolean key = (Bytes.u8(data, at + 8) & 1) == 0;
      w = Bytes.u16le(data, at + 14) & 0x3fff;
      h = Bytes.u16le(data, at + 16) & 0x3fff;
      if (!key || Bytes.u24le(data, at + 11) != 0x2a019d || w == 0 || h == 0) {
        throw new MalformedImage("is a broken lossy WebP");
      }
    } else {
      throw new MalformedImage("is a WebP without an image");
    }
    return new Frame(left, top, w, h, separateAlpha ? from : -1, at);
  }

  private boolean hasAlpha(Frame frame) throws MalformedImage {
    boolean lossless = Bytes.startsWith(data, frame.imageAt, "VP8L");
    return lossless && (Bytes.u8(data, frame.imageAt + 12) & 0x10) != 0;
  }

  RgbImage decode() throws MalformedImage {
    int[] argb = readPixels();
    byte[] rgb = new byte[3 * width * height];
    for (int y = 0; y < first.height; y++) {
      int out = 3 * ((first.top + y) * width + first.left);
      for (int x = 0; x < first.width; x++, out += 3) {
        int pixel = argb[y * first.width + x];
        rgb[out] = (byte) (pixel >> 16);
        rgb[out + 1] = (byte) (pixel >> 8);
        rgb[out + 2] = (byte) pixel;
      }
    }
    return new RgbImage(width, height, rgb);
  }

  /** ARGB of the first frame. */
  private int[] readPixels() throws MalformedImage {
    // Made directly: ImageIO only finds plug-ins of the class loader that first asked it for one.
    ImageReader reader = new WebPImageReaderSpi().createReaderInstance(null);
    byte[] still = still();
    try (MemoryCacheImageInputStream input =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(still))) {
      reader.setInput(input, true, true);
      BufferedImage image = reader.read(0);
      if (image.getWidth() != first.width
          || image.getHeight() != first.height
          || !(image.getRaster().getDataBuffer() instanceof DataBufferInt buffer)) {
        throw new MalformedImage("is a WebP whose header and pixels disagree");
      }
      return buffer.getData();
    } catch (IOException | RuntimeException e) {
      throw new MalformedImage("is a broken WebP: " + e.getMessage());
    } catch (LinkageError e) {
      throw new MalformedImage("cannot be decoded: libwebp does not load: " + e.getMessage());
    } finally {
      reader.dispose();
    }
  }

  /** The first frame as a WebP file of its own. */
  private byte[] still() throws MalformedImage {
    ByteArrayOutputStream chunks = new ByteArrayOutputStream();
    if (first.alphaAt >= 0 && Bytes.startsWith(data, first.imageAt, "VP8 ")) {
      chunks.writeBytes(header("VP8X", 10));
      chunks.writeBytes(new byte[] {ALPHA_FLAG, 0, 0, 0});
      chunks.writeBytes(le24(first.width - 1));
      chunks.writeBytes(le24(first.height - 1));
      copyChunk(first.alphaAt, chunks);
    }
    copyChunk(first.imageAt, chunks);
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
