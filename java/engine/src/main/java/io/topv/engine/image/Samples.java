package io.topv.engine.image;

/**
 * Conversions to RGB in the fixed point of libjpeg (ITU-R BT.601, full range) and Pillow (CMYK).
 */
final class Samples {
  private static final int[] RED_CR = new int[256];
  private static final int[] BLUE_CB = new int[256];
  private static final int[] GREEN_CR = new int[256];
  private static final int[] GREEN_CB = new int[256];

  static {
    int half = 1 << 15;
    for (int i = 0; i < 256; i++) {
      int x = i - 128;
      RED_CR[i] = fixed(1.40200) * x + half >> 16;
      BLUE_CB[i] = fixed(1.77200) * x + half >> 16;
      GREEN_CR[i] = -fixed(0.71414) * x;
      GREEN_CB[i] = -fixed(0.34414) * x + half;
    }
  }

  private Samples() {}

  private static int fixed(double x) {
    return (int) (x * 65536 + 0.5);
  }

  /** In place: the first three of every {@code stride} samples. Returns {@code samples}. */
  static byte[] yccToRgb(byte[] samples, int stride, int pixels) {
    for (int i = 0, p = 0; i < pixels; i++, p += stride) {
      int y = samples[p] & 0xff;
      int cb = samples[p + 1] & 0xff;
      int cr = samples[p + 2] & 0xff;
      samples[p] = clamp(y + RED_CR[cr]);
      samples[p + 1] = clamp(y + (GREEN_CB[cb] + GREEN_CR[cr] >> 16));
      samples[p + 2] = clamp(y + BLUE_CB[cb]);
    }
    return samples;
  }

  static byte[] grayToRgb(byte[] gray, int pixels) {
    byte[] rgb = new byte[3 * pixels];
    for (int i = 0; i < pixels; i++) {
      rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = gray[i];
    }
    return rgb;
  }

  /** Stored inverted, as Adobe does and Pillow always assumes: a sample is 255 - ink. */
  static byte[] cmykToRgb(byte[] samples, int pixels) {
    byte[] rgb = new byte[3 * pixels];
    for (int i = 0; i < pixels; i++) {
      int white = samples[4 * i + 3] & 0xff;
      for (int c = 0; c < 3; c++) {
        int product = (255 - (samples[4 * i + c] & 0xff)) * white + 128;
        rgb[3 * i + c] = clamp(white - ((product >> 8) + product >> 8));
      }
    }
    return rgb;
  }

  private static byte clamp(int value) {
    return (byte) Math.max(0, Math.min(255, value));
  }
}
