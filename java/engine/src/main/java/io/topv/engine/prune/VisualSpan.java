package io.topv.engine.prune;

/**
 * The visual tokens of one image inside a prompt.
 *
 * @param start position of the first one
 * @param width tokens per row of the grid
 * @param height rows of the grid
 */
public record VisualSpan(int start, int width, int height) {

  /** N. */
  public int tokens() {
    return width * height;
  }
}
