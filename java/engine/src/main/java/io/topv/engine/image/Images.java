package io.topv.engine.image;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads JPEG, PNG, WebP, GIF and BMP as transformers' {@code load_image} does on Pillow: the first
 * frame, turned upright by its EXIF orientation, converted to RGB. Transparency is dropped, not
 * composited; colour profiles are ignored; grey above 255 saturates; a file that Pillow calls
 * truncated is an error. Sizes are checked before pixels are decoded. Thread-safe.
 *
 * <p>All methods throw {@link TopvException}, and nothing else, on a bad file.
 */
public final class Images {
  /** Above this a packed RGB image does not fit one Java array. */
  private static final long ARRAY_PIXELS = (Integer.MAX_VALUE - 8) / 3;

  private Images() {}

  public static ImageInfo probe(Path file) {
    return probe(read(file, ImageLimits.DEFAULT), file.toString());
  }

  /**
   * @param name what error messages call the image
   */
  public static ImageInfo probe(byte[] data, String name) {
    return open(data, name, ImageLimits.DEFAULT).info();
  }

  public static RgbImage decode(Path file) {
    return decode(file, ImageLimits.DEFAULT);
  }

  public static RgbImage decode(Path file, ImageLimits limits) {
    return decode(read(file, limits), file.toString(), limits);
  }

  public static RgbImage decode(byte[] data, String name) {
    return decode(data, name, ImageLimits.DEFAULT);
  }

  /**
   * @param data the whole encoded file; not changed
   * @param name what error messages call the image
   */
  public static RgbImage decode(byte[] data, String name, ImageLimits limits) {
    Opened opened = open(data, name, limits);
    ImageInfo info = opened.info();
    long pixels = (long) info.width() * info.height();
    long limit = Math.min(limits.maxPixels(), ARRAY_PIXELS);
    if (pixels > limit) {
      throw new TopvException(
          name
              + ": "
              + info.width()
              + " x "
              + info.height()
              + " is "
              + pixels
              + " pixels, the limit is "
              + limit);
    }
    try {
      return Orientation.apply(opened.pixels().decode(), info.orientation());
    } catch (MalformedImage e) {
      throw new TopvException(name + ": " + e.getMessage(), e);
    } catch (OutOfMemoryError e) {
      // One large array was refused; the heap is as it was before.
      throw new TopvException(
          name + ": " + info.width() + " x " + info.height() + " pixels do not fit the Java heap",
          e);
    }
  }

  private interface Pixels {
    RgbImage decode() throws MalformedImage;
  }

  private record Opened(ImageInfo info, Pixels pixels) {}

  private static Opened open(byte[] data, String name, ImageLimits limits) {
    if (data.length == 0) {
      throw new TopvException(name + ": is empty (0 bytes); expected an image");
    }
    if (data.length > limits.maxBytes()) {
      throw new TopvException(
          name + ": " + data.length + " bytes, the limit is " + limits.maxBytes());
    }
    ImageFormat format =
        ImageFormat.of(data)
            .orElseThrow(
                () ->
                    new TopvException(
                        name
                            + ": is "
                            + ImageFormat.describe(data)
                            + "; expected JPEG, PNG, WebP, GIF or BMP"));
    try {
      return switch (format) {
        case JPEG -> {
          JpegFile f = JpegFile.read(data);
          int turn = Orientation.find(f.exif, f.xmp);
          ImageInfo info =
              new ImageInfo(format, f.mode(), f.width, f.height, turn, data.length, f.frames);
          yield new Opened(info, () -> JpegDecoder.decode(f));
        }
        case PNG -> {
          PngFile f = PngFile.read(data);
          int turn = Orientation.find(f.exif, f.xmp);
          ImageInfo info =
              new ImageInfo(format, f.mode(), f.width, f.height, turn, data.length, f.frames);
          yield new Opened(info, () -> PngDecoder.decode(f));
        }
        case WEBP -> {
          WebpFile f = WebpFile.read(data);
          int turn = Orientation.find(f.exif, f.xmp);
          ImageInfo info =
              new ImageInfo(format, f.mode(), f.width, f.height, turn, data.length, f.frames);
          yield new Opened(info, f::decode);
        }
        case GIF -> {
          GifDecoder f = GifDecoder.read(data);
          yield new Opened(
              new ImageInfo(format, f.mode(), f.width, f.height, 1, data.length, 1), f::decode);
        }
        case BMP -> {
          BmpDecoder f = BmpDecoder.read(data);
          yield new Opened(
              new ImageInfo(format, f.mode(), f.width, f.height, 1, data.length, 1), f::decode);
        }
      };
    } catch (MalformedImage e) {
      throw new TopvException(name + ": " + e.getMessage(), e);
    }
  }

  private static byte[] read(Path file, ImageLimits limits) {
    if (Files.isDirectory(file)) {
      throw new TopvException(file + ": is a directory; expected an image");
    }
    if (!Files.exists(file)) {
      throw new TopvException(file + ": no such file");
    }
    int most = (int) Math.min(limits.maxBytes(), Integer.MAX_VALUE - 9);
    // Bounded by what is read, not by what the file system claims: a pipe has no size.
    try (InputStream in = Files.newInputStream(file)) {
      byte[] data = in.readNBytes(most + 1);
      if (data.length > most) {
        throw new TopvException(file + ": more than " + most + " bytes, the limit for an image");
      }
      return data;
    } catch (IOException e) {
      throw new TopvException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
