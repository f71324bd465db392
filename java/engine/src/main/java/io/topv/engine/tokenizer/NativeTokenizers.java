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
    if (System.getProperty(CACHE) == null
        && System.getenv(CACHE) == null
        && System.getProperty("DJL_CACHE_DIR") == null
        && System.getenv("DJL_CACHE_DIR") == null) {
      System.setProperty(CACHE, cacheFolder().toString());
    }
  }

  private NativeTokenizers() {}

  /** A tokenizer over the text of a tokenizer.json; {@code file} is for messages only. */
  static HuggingFaceTokenizer open(String json, Path file) {
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

  /** The first of the user's cache folder and the temporary folder that can be written to. */
  private static Path cacheFolder() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path home = Path.of(System.getProperty("user.home", "."));
    Path cache = xdg == null || xdg.isEmpty() ? home.resolve(".cache") : Path.of(xdg);
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    Path own = temporary.resolve("topv-" + System.getProperty("user.name", "user"));
    for (Path folder : List.of(cache.resolve("topv"), own)) {
      try {
        Files.createDirectories(folder);
        if (Files.isWritable(folder)) {
          return folder;
        }
      } catch (IOException | SecurityException e) {
        // The next one may do; where none does, DJL's own failure names the folder.
        continue;
      }
    }
    return own;
  }
}
