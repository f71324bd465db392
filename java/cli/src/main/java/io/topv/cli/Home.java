package io.topv.cli;

import java.nio.file.Path;

/** Files that ship with topv. */
public final class Home {
  private Home() {}

  /** {@code scripts/topv} says where it is; else the working directory counts. */
  public static Path path(String relative) {
    return Path.of(System.getProperty("topv.home", ".")).resolve(relative);
  }
}
