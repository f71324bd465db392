package io.topv.engine.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.topv.engine.TopvException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Opens DJL's binding of the Rust tokenizers library: without telemetry, downloads or a CUDA
 * flavour, and with its native library unpacked to a folder of our own.
 */
final class NativeTokenizers {
  private static final String CACHE = "ENGINE_CACHE_DIR";

  static {
    // DJL reads each from the environment first; what the user sets there stays.
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("RUST_FLAVOR", "cpu");
    if (configuredCache().isEmpty()) {
      System.setProperty(CACHE, ownCache().toString());
    }
  }

  private NativeTokenizers() {}

  /** A tokenizer over the text of a tokenizer.json; {@code file} is for messages only. */
  static HuggingFaceTokenizer open(String json, Path file) {
    requireCache();
    Map<String, String> options = Map.of("truncation", "false", "padding", "false");
    try {
      byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
      return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(bytes), options);
    } catch (UnsatisfiedLinkError | ExceptionInInitializerError | NoClassDefFoundError e) {
      throw new TopvException(
          "the native tokenizers library cannot be loaded: " + cause(e) + hint(), e);
    } catch (IllegalStateException | IOException e) {
      throw new TopvException(
          "the native tokenizers library cannot be unpacked: " + cause(e) + hint(), e);
    } catch (RuntimeException e) {
      throw new TopvException(file + ": not a valid tokenizer: " + cause(e), e);
    }
  }

  private static String hint() {
    return "; set the environment variable ENGINE_CACHE_DIR to a writable folder that allows"
        + " executables";
  }

  private static String cause(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return String.valueOf(root.getMessage()).replace('\n', ' ');
  }

  /** The folder that the environment or the system properties give, in DJL's order. */
  private static Optional<Path> configuredCache() {
    for (String name : List.of(CACHE, "DJL_CACHE_DIR")) {
      String environment = System.getenv(name);
      String value = environment == null ? System.getProperty(name) : environment;
      if (value != null && !value.isEmpty()) {
        return Optional.of(Path.of(value));
      }
    }
    return Optional.empty();
  }

  /** DJL would go on to download what it cannot unpack; better to say what is wrong. */
  private static void requireCache() {
    Path folder = configuredCache().orElseThrow();
    boolean unpacked = Files.isDirectory(folder.resolve("tokenizers"));
    if (!unpacked && !isWritable(folder)) {
      throw new TopvException(
          folder + ": the native tokenizers library cannot be unpacked to this folder" + hint());
    }
  }

  private static boolean isWritable(Path folder) {
    try {
      return Files.isWritable(Files.createDirectories(folder));
    } catch (IOException e) {
      return false;
    }
  }

  /** The user's cache folder, or one in the temporary folder where that cannot be written to. */
  private static Path ownCache() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path home = Path.of(System.getProperty("user.home", "."));
    Path cache = xdg == null || xdg.isEmpty() ? home.resolve(".cache") : Path.of(xdg);
    Path own = cache.resolve("topv");
    String user = System.getProperty("user.name", "user");
    return isWritable(own)
        ? own
        : Path.of(System.getProperty("java.io.tmpdir")).resolve("topv-" + user);
  }
}
