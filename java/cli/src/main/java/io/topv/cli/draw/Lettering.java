package io.topv.cli.draw;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.font.FontRenderContext;

/**
 * Text on a picture: in the system's sans-serif font where Java finds one, else, as on a machine
 * without fontconfig, in {@link DotFont}.
 */
public abstract sealed class Lettering {
  /** Pixels from the top of a capital to the base line, of {@code size}. */
  private static final double CAPITAL = 0.72;

  /** The best at hand. {@code -Dtopv.font=dots} asks for the built-in one. */
  public static Lettering best() {
    if (!"dots".equals(System.getProperty("topv.font"))) {
      try {
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
        if (font.getStringBounds("Ay", CONTEXT).getWidth() > 0) {
          return new OfSystem();
        }
      } catch (RuntimeException | LinkageError | InternalError e) {
        // Without fontconfig or libfreetype Java throws any of these.
        return new OfDots();
      }
    }
    return new OfDots();
  }

  private static final FontRenderContext CONTEXT = new FontRenderContext(null, true, true);

  /** Width in pixels. */
  public abstract double width(String text, double size, boolean bold);

  /**
   * Draws one line.
   *
   * @param x left end
   * @param y base line
   * @param size of the font in pixels
   */
  public abstract void draw(
      Graphics2D g, String text, double x, double y, double size, boolean bold, Color color);

  /** {@code text}, with an ellipsis in place of what does not fit {@code width}. */
  public final String fit(String text, double width, double size, boolean bold) {
    if (width(text, size, bold) <= width) {
      return text;
    }
    int length = text.length();
    while (length > 0 && width(text.substring(0, length) + "...", size, bold) > width) {
      length--;
    }
    return text.substring(0, length) + "...";
  }

  private static final class OfSystem extends Lettering {
    @Override
    public double width(String text, double size, boolean bold) {
      return font(size, bold).getStringBounds(text, CONTEXT).getWidth();
    }

    @Override
    public void draw(
        Graphics2D g, String text, double x, double y, double size, boolean bold, Color color) {
      g.setColor(color);
      g.setFont(font(size, bold));
      g.drawString(text, (float) x, (float) y);
    }

    private static Font font(double size, boolean bold) {
      return new Font(Font.SANS_SERIF, bold ? Font.BOLD : Font.PLAIN, 1).deriveFont((float) size);
    }
  }

  private static final class OfDots extends Lettering {
    /** A dot's side: whole pixels, or the dots would blur. */
    private static int dot(double size) {
      return (int) Math.max(1, Math.round(size * CAPITAL / DotFont.HEIGHT));
    }

    @Override
    public double width(String text, double size, boolean bold) {
      return text.codePoints().count() * (double) (DotFont.WIDTH + 1) * dot(size);
    }

    @Override
    public void draw(
        Graphics2D g, String text, double x, double y, double size, boolean bold, Color color) {
      g.setColor(color);
      int dot = dot(size);
      int left = (int) Math.round(x);
      int top = (int) Math.round(y) - DotFont.HEIGHT * dot;
      for (int codePoint : text.codePoints().toArray()) {
        for (int row = 0; row < DotFont.HEIGHT; row++) {
          for (int column = 0; column < DotFont.WIDTH; column++) {
            if (DotFont.isSet(codePoint, row, column)) {
              g.fillRect(left + column * dot, top + row * dot, dot + (bold ? 1 : 0), dot);
            }
          }
        }
        left += (DotFont.WIDTH + 1) * dot;
      }
    }
  }
}
