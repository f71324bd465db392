package io.topv.engine.image;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The containers that are decoded. */
public enum ImageFormat {
  JPEG("\u00ff\u00d8\u00ff"),
  PNG("\u0089PNG\r\n\u001a\n"),
  WEBP("RIFF????WEBP"),
  GIF("GIF8?a"),
  BMP("BM");

  private final byte[] magic;

  ImageFormat(String magic) {
    this.magic = magic.getBytes(StandardCharsets.ISO_8859_1);
  }

  static Optional<ImageFormat> of(byte[] data) {
    for (ImageFormat format : values()) {
      if (matches(data, format.magic)) {
        return Optional.of(format);
      }
    }
    return Optional.empty();
  }

  /** Names what is not decoded, for the error message: "a TIFF image", "text", "unknown data". */
  static String describe(byte[] data) {
    String[][] known = {
      {"II*\0", "a TIFF image"},
      {"MM\0*", "a TIFF image"},
      {"%PDF", "a PDF document"},
      {"????ftypavif", "an AVIF image"},
      {"????ftyphei", "a HEIF image"},
      {"????ftyp", "an ISO media file"},
      {"\0\0\1\0", "an icon"},
      {"8BPS", "a Photoshop document"},
      {"\u00ff\n", "a JPEG XL image"},
      {"\0\0\0\fJXL", "a JPEG XL image"},
      {"\0\0\0\fjP", "a JPEG 2000 image"},
      {"P?\n", "a PNM image"},
      {"\u008aMNG", "an MNG image"},
      {"<svg", "an SVG drawing"},
      {"<?xml", "an XML document"},
      {"<!", "an HTML document"},
      {"PK\3\4", "a ZIP archive"},
      {"\u001f\u008b", "gzip data"},
      {"RIFF", "a RIFF file that is not WebP"},
    };
    for (String[] entry : known) {
      if (matches(data, entry[0].getBytes(StandardCharsets.ISO_8859_1))) {
        return entry[1];
      }
    }
    return "data of an unknown kind";
  }

  /** '?' in {@code magic} stands for any byte. */
  private static boolean matches(byte[] data, byte[] magic) {
    if (data.length < magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if (magic[i] != '?' && magic[i] != data[i]) {
        return false;
      }
    }
    return true;
  }
}
