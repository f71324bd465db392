package io.topv.engine.image;

import io.topv.engine.TopvException;
import java.util.Arrays;

/**
 * From a picture to pixel values, equal bit for bit to transformers' Pillow image processors: pad,
 * resize, centre crop, rescale in float64 rounded to float32, normalize in float32. Thread-safe.
 */
public final class ImageProcessor {
  private static final long MAX_OUTPUT_PIXELS = 1L << 26;

  private final ImageProcessorConfig config;

  /** {@code levels[c][v]}: the value of sample {@code v} in channel {@code c}. */
  private final float[][] levels = new float[3][256];

  public ImageProcessor(ImageProcessorConfig config) {
    this.config = config;
    boolean normalize = !config.std().isEmpty();
    for (int c = 0; c < 3; c++) {
      for (int v = 0; v < 256; v++) {
        int sample = v;
        float x = config.rescale().map(factor -> (float) (sample * factor)).orElse((float) v);
        levels[c][v] =
            normalize
                ? (x - config.mean().get(c).floatValue()) / config.std().get(c).floatValue()
                : x;
      }
    }
  }

  public ImageProcessorConfig config() {
    return config;
  }

  /**
   * @throws TopvException when the result would be empty or absurdly large
   */
  public PixelValues process(RgbImage picture) {
    RgbImage image = config.padToSquare() ? padToSquare(picture) : picture;
    int inHeight = image.height();
    int inWidth = image.width();
    ResizeTo.Extent whole =
        config
            .resizeTo()
            .map(to -> to.of(inHeight, inWidth))
            .orElse(new ResizeTo.Extent(inHeight, inWidth));
    long height = config.crop().map(ResizeTo.Exact::height).orElse((int) whole.height());
    long width = config.crop().map(ResizeTo.Exact::width).orElse((int) whole.width());
    if (whole.height() < 1
        || whole.width() < 1
        || whole.height() > Integer.MAX_VALUE
        || whole.width() > Integer.MAX_VALUE
        || height * width > MAX_OUTPUT_PIXELS) {
      throw new TopvException(
          "image of "
              + inWidth
              + " x "
              + inHeight
              + " pixels: resizing gives "
              + whole.width()
              + " x "
              + whole.height());
    }
    Span rows = Span.center((int) whole.height(), (int) height);
    Span columns = Span.center((int) whole.width(), (int) width);
    RgbImage window =
        Resampler.resize(
            image,
            (int) whole.width(),
            (int) whole.height(),
            config.filter(),
            columns.from,
            rows.from,
            columns.length,
            rows.length);
    return toValues(window, rows.at, columns.at, (int) height, (int) width);
  }

  /**
   * One axis of the centre crop: {@code length} positions from {@code from} of the resized image
   * land at {@code at} of the result.
   */
  private record Span(int from, int length, int at) {
    static Span center(int whole, int crop) {
      return crop <= whole
          ? new Span((whole - crop) / 2, crop, 0)
          : new Span(0, whole, (crop - whole + 1) / 2);
    }
  }

  private PixelValues toValues(RgbImage window, int top, int left, int height, int width) {
    float[] values = new float[3 * height * width];
    byte[] pixels = window.pixels();
    for (int c = 0; c < 3; c++) {
      float[] level = levels[c];
      int plane = c * height * width;
      if (window.height() < height || window.width() < width) {
        // Padding is black before rescaling and normalizing, not zero after them.
        Arrays.fill(values, plane, plane + height * width, level[0]);
      }
      for (int y = 0; y < window.height(); y++) {
        int out = plane + (top + y) * width + left;
        int in = 3 * y * window.width() + c;
        for (int x = 0; x < window.width(); x++) {
          values[out + x] = level[pixels[in + 3 * x] & 0xff];
        }
      }
    }
    return new PixelValues(height, width, values);
  }

  private RgbImage padToSquare(RgbImage image) {
    int side = Math.max(image.width(), image.height());
    if (image.width() == image.height()) {
      return image;
    }
    if (3L * side * side > Integer.MAX_VALUE - 8) {
      throw new TopvException(
          "image of " + image.width() + " x " + image.height() + " pixels: too large to pad");
    }
    byte[] out = new byte[3 * side * side];
    for (int i = 0; i < 3 * side; i++) {
      out[i] = (byte) (config.mean().get(i % 3) * 255);
    }
    for (int y = 1; y < side; y++) {
      System.arraycopy(out, 0, out, 3 * side * y, 3 * side);
    }
    int top = (side - image.height()) / 2;
    int left = (side - image.width()) / 2;
    int stride = 3 * image.width();
    for (int y = 0; y < image.height(); y++) {
      System.arraycopy(image.pixels(), y * stride, out, 3 * ((top + y) * side + left), stride);
    }
    return new RgbImage(side, side, out);
  }
}
