package io.topv.engine.image;

/** How large an image becomes: the {@code size} of a preprocessor configuration. */
public sealed interface ResizeTo {
  /** Rows and columns. */
  record Extent(long height, long width) {}

  Extent of(int height, int width);

  /** Exactly this, whatever the aspect ratio. */
  record Exact(int height, int width) implements ResizeTo {
    @Override
    public Extent of(int inHeight, int inWidth) {
      return new Extent(height, width);
    }
  }

  /** The shorter side becomes {@code edge}; the other follows, its fraction cut off. */
  record Shortest(int edge) implements ResizeTo {
    @Override
    public Extent of(int height, int width) {
      return width <= height
          ? new Extent(scaled(edge, height, width), edge)
          : new Extent(edge, scaled(edge, width, height));
    }
  }

  /** As {@link Shortest}, but no side longer than {@code longest}. */
  record Bounded(int shortest, int longest) implements ResizeTo {
    @Override
    public Extent of(int height, int width) {
      double small = Math.min(height, width);
      double large = Math.max(height, width);
      double edge = shortest;
      if (large / small * shortest > longest) {
        edge = longest * small / large;
      }
      long side = (long) Math.rint(edge);
      if (Math.min(height, width) == side) {
        return new Extent(height, width);
      }
      return width < height
          ? new Extent((long) (edge * height / width), side)
          : new Extent(side, (long) (edge * width / height));
    }
  }

  private static long scaled(int edge, int side, int reference) {
    return (long) ((double) ((long) edge * side) / reference);
  }
}
