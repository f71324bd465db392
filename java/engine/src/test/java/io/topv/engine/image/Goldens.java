package io.topv.engine.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What scripts/make_image_golden.py wrote, and the pictures it wrote it about. */
final class Goldens {
  private Goldens() {}

  static List<JsonNode> read(String name) {
    return JsonMapper.shared().readTree(resource(name).orElseThrow()).valueStream().toList();
  }

  /**
   * A picture by its name in decode.json; empty for the large ones when the folder they come from,
   * shared/images beside the checkout, is not there.
   */
  static Optional<byte[]> picture(String name) {
    Path shared =
        Path.of(System.getProperty("topv.root", "../.."))
            .toAbsolutePath()
            .normalize()
            .resolveSibling("shared/images")
            .resolve(name.substring(name.indexOf('/') + 1));
    return resource(name).or(() -> Optional.of(shared).filter(Files::exists).map(Goldens::bytes));
  }

  static Optional<byte[]> resource(String name) {
    try (InputStream in = Goldens.class.getResourceAsStream("/images/" + name)) {
      return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Small pictures of every format, good and broken: seeds for fuzzing. */
  static Stream<byte[]> seeds() {
    return read("decode.json").stream()
        .map(entry -> resource(entry.get("file").stringValue()))
        .flatMap(Optional::stream)
        .filter(bytes -> bytes.length < 4096);
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static String sha256(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return sha256(bytes.array());
  }

  /** The script's noise(): high bytes of a linear congruential generator. */
  static RgbImage noise(int width, int height, int seed) {
    byte[] pixels = new byte[3 * width * height];
    int state = seed;
    for (int i = 0; i < pixels.length; i++) {
      state = state * 1664525 + 1013904223;
      pixels[i] = (byte) (state >>> 24);
    }
    return new RgbImage(width, height, pixels);
  }
}
