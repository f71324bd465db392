package io.topv.engine;

/** Hears an answer as it grows. */
@FunctionalInterface
public interface TokenListener {
  TokenListener SILENT = text -> true;

  /**
   * Called after every token.
   *
   * @param text newly completed text, possibly empty
   * @return whether to go on
   */
  boolean onText(String text);
}
