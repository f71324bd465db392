package io.topv.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * An encoded image.
 *
 * @param name what errors call it
 * @param data the bytes of a JPEG, PNG, WebP, GIF or BMP file
 */
public record ImageInput(String name, byte[] data) {

  public static ImageInput of(Path file) {
    if (Files.isDirectory(file)) {
      throw new TopvException(file + ": is a directory, expected an image");
    }
    try {
      return new ImageInput(file.toString(), Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new TopvException(file + ": no such file", e);
    } catch (IOException e) {
      throw new TopvException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
