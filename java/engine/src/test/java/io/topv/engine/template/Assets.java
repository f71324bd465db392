package io.topv.engine.template;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where scripts/fetch_assets puts what is too big for the repository. */
public final class Assets {
  private Assets() {}

  /** The folder of a real tokenizer; it may be absent. */
  public static Path tokenizer(String name) {
    return root().resolve(".cache/assets/tokenizers").resolve(name);
  }

  /** The folder of a real language model; it may be absent. */
  public static Path model(String name) {
    return root().resolve(".cache/assets/models").resolve(name);
  }

  private static Path root() {
    Path at = Path.of("").toAbsolutePath();
    while (at.getParent() != null && !Files.exists(at.resolve("scripts/fetch_assets"))) {
      at = at.getParent();
    }
    return at;
  }
}
