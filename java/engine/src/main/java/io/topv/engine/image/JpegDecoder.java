package io.topv.engine.image;

import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * JPEG pixels. The JDK's libjpeg gives raw component samples; colour conversion is done here, in
 * libjpeg's fixed point, because the JDK's own goes through colour profiles and knows no CMYK.
 */
final class JpegDecoder {
  private JpegDecoder() {}

  static RgbImage decode(JpegFile jpeg) throws MalformedImage {
    byte[] samples = readSamples(jpeg);
    smoothVertically(samples, jpeg);
    int pixels = jpeg.width * jpeg.height;
    byte[] rgb =
        switch (jpeg.color) {
          case GRAY -> Samples.grayToRgb(samples, pixels);
          case RGB -> samples;
          case YCC -> Samples.yccToRgb(samples, 3, pixels);
          case CMYK -> Samples.cmykToRgb(samples, pixels);
          case YCCK -> Samples.cmykToRgb(invertAfter(samples, pixels), pixels);
        };
    return new RgbImage(jpeg.width, jpeg.height, rgb);
  }

  /** YCCK holds inverted colours beside a plain K. */
  private static byte[] invertAfter(byte[] samples, int pixels) {
    Samples.yccToRgb(samples, 4, pixels);
    for (int i = 0; i < samples.length; i++) {
      samples[i] = i % 4 == 3 ? samples[i] : (byte) ~samples[i];
    }
    return samples;
  }

  private static byte[] readSamples(JpegFile jpeg) throws MalformedImage {
    byte[] stream = jpeg.withoutMetadata();
    ImageReader reader = jdkReader();
    // Held in memory: ImageIO's own choice would be a temporary file per image.
    try (MemoryCacheImageInputStream input =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(stream))) {
      reader.setInput(input, true, true);
      Raster raster = reader.readRaster(0, null);
      int bands = jpeg.horizontal.length;
      if (raster.getWidth() != jpeg.width
          || raster.getHeight() != jpeg.height
          || raster.getNumBands() != bands
          || !(raster.getDataBuffer() instanceof DataBufferByte buffer)
          || buffer.getSize() != bands * jpeg.width * jpeg.height) {
        throw new MalformedImage("is a JPEG whose frame header and pixels disagree");
      }
      return buffer.getData();
    } catch (IOException | RuntimeException e) {
      // The JDK's reader lets unchecked exceptions out on broken streams.
      throw new MalformedImage("is a broken JPEG: " + e.getMessage());
    } finally {
      reader.dispose();
    }
  }

  private static ImageReader jdkReader() throws MalformedImage {
    for (Iterator<ImageReader> it = ImageIO.getImageReadersByFormatName("jpeg"); it.hasNext(); ) {
      ImageReader reader = it.next();
      if (reader.getClass().getName().startsWith("com.sun.imageio.")) {
        return reader;
      }
    }
    throw new MalformedImage("cannot be decoded: this JDK has no JPEG reader (java.desktop)");
  }

  /**
   * Components of full width and half height: libjpeg 6b, which most JDKs carry, repeats their
   * rows; libjpeg-turbo, which Pillow and some distributions' JDKs have, weighs the nearer row 3 to
   * 1. Repeated rows hold all that is needed to do the same here.
   */
  private static void smoothVertically(byte[] samples, JpegFile jpeg) {
    int maxH = 0;
    int maxV = 0;
    int bands = jpeg.horizontal.length;
    for (int c = 0; c < bands; c++) {
      maxH = Math.max(maxH, jpeg.horizontal[c]);
      maxV = Math.max(maxV, jpeg.vertical[c]);
    }
    for (int c = 0; c < bands; c++) {
      boolean halfHeight = jpeg.horizontal[c] == maxH && 2 * jpeg.vertical[c] == maxV;
      if (halfHeight && rowsRepeat(samples, c, bands, jpeg.width, jpeg.height)) {
        smoothBand(samples, c, bands, jpeg.width, jpeg.height);
      }
    }
  }

  private static boolean rowsRepeat(byte[] samples, int band, int bands, int width, int height) {
    int stride = width * bands;
    for (int y = 1; y < height; y += 2) {
      for (int at = y * stride + band; at < (y + 1) * stride; at += bands) {
        if (samples[at] != samples[at - stride]) {
          return false;
        }
      }
    }
    return true;
  }

  private static void smoothBand(byte[] samples, int band, int bands, int width, int height) {
    int stride = width * bands;
    byte[] above = new byte[width];
    byte[] here = new byte[width];
    int rows = (height + 1) / 2;
    for (int row = 0; row < rows; row++) {
      int even = 2 * row * stride + band;
      boolean hasOdd = 2 * row + 1 < height;
      boolean hasBelow = row + 1 < rows;
      for (int x = 0; x < width; x++) {
        int at = even + x * bands;
        here[x] = samples[at];
        int near = 3 * (samples[at] & 0xff);
        int up = row == 0 ? near / 3 : above[x] & 0xff;
        int down = hasBelow ? samples[at + 2 * stride] & 0xff : near / 3;
        samples[at] = (byte) (near + up + 1 >> 2);
        if (hasOdd) {
          samples[at + stride] = (byte) (near + down + 2 >> 2);
        }
      }
      byte[] swap = above;
      above = here;
      here = swap;
    }
  }
}
