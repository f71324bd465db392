package io.topv.cli.explain;

import io.topv.cli.draw.Lettering;
import io.topv.cli.draw.Viridis;
import io.topv.engine.image.RgbImage;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.Locale;

/**
 * Draws an {@link Explanation}: the picture, the importance as a heat map over it, and the picture
 * with its pruned patches dimmed, side by side.
 */
public final class ExplanationPainter {
  private static final int PANEL = 480;
  private static final int MARGIN = 32;
  private static final int GAP = 24;
  private static final int LINE = 24;
  private static final int BAR = 18;
  private static final int BAR_LABELS = 52;
  private static final double TITLE = 26;
  private static final double TEXT = 15;
  private static final double HEAT = 0.78;
  private static final Color PAPER = new Color(0xffffff);
  private static final Color INK = new Color(0x1b1f24);
  private static final Color SOFT = new Color(0x57606a);
  private static final Color FRAME = new Color(0xd0d7de);
  private static final Color BACK = new Color(0xff8c00);

  private final Explanation what;
  private final Lettering letters;
  private final int cell;
  private final int panelWidth;
  private final int panelHeight;
  private final int top;

  private ExplanationPainter(Explanation what, Lettering letters) {
    this.what = what;
    this.letters = letters;
    this.cell = Math.max(1, PANEL / Math.max(what.width(), what.height()));
    this.panelWidth = cell * what.width();
    this.panelHeight = cell * what.height();
    this.top = MARGIN + (int) TITLE + (LINE + 4) * what.captions().size() + LINE + 22;
  }

  public static RgbImage paint(Explanation what, Lettering letters) {
    return new ExplanationPainter(what, letters).paint();
  }

  private RgbImage paint() {
    boolean heat = what.importance().length > 0;
    int width =
        2 * MARGIN + 2 * panelWidth + GAP + (heat ? panelWidth + BAR + BAR_LABELS + 2 * GAP : 0);
    int height = top + panelHeight + 14 + LINE * (what.footer().size() + 1) + MARGIN / 2;
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(PAPER);
    g.fillRect(0, 0, width, height);
    text(g, width);
    BufferedImage picture = scaled();
    int x = MARGIN;
    panel(
        g,
        x,
        "What the model sees, %d x %d pixels"
            .formatted(what.picture().width(), what.picture().height()),
        picture);
    x += panelWidth + GAP;
    if (heat) {
      panel(g, x, "Importance of each visual token", heated(picture));
      bar(g, x + panelWidth + 12);
      x += panelWidth + BAR + BAR_LABELS + 2 * GAP;
    }
    panel(g, x, "Kept: %d of %d".formatted(what.kept().length, what.tokens()), dimmed(picture));
    outlineRecovered(g, x);
    g.dispose();
    return rgb(image);
  }

  private void text(Graphics2D g, int width) {
    double y = MARGIN + TITLE * 0.8;
    int room = width - 2 * MARGIN;
    letters.draw(g, letters.fit(what.title(), room, TITLE, true), MARGIN, y, TITLE, true, INK);
    for (String caption : what.captions()) {
      y += LINE + 4;
      letters.draw(g, letters.fit(caption, room, TEXT, false), MARGIN, y, TEXT, false, SOFT);
    }
    y = top + panelHeight + 14;
    for (String line : what.footer()) {
      y += LINE;
      letters.draw(g, letters.fit(line, room, TEXT, false), MARGIN, y, TEXT, false, SOFT);
    }
  }

  private void panel(Graphics2D g, int x, String caption, BufferedImage picture) {
    letters.draw(
        g, letters.fit(caption, panelWidth, TEXT + 1, true), x, top - 10, TEXT + 1, true, INK);
    g.drawImage(picture, x, top, null);
    g.setColor(FRAME);
    g.setStroke(new BasicStroke(1));
    g.drawRect(x - 1, top - 1, panelWidth + 1, panelHeight + 1);
  }

  /** The picture at the panel's size, a whole number of pixels per token. */
  private BufferedImage scaled() {
    RgbImage source = what.picture();
    BufferedImage from =
        new BufferedImage(source.width(), source.height(), BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < source.height(); y++) {
      for (int x = 0; x < source.width(); x++) {
        from.setRGB(x, y, source.at(x, y, 0) << 16 | source.at(x, y, 1) << 8 | source.at(x, y, 2));
      }
    }
    BufferedImage to = new BufferedImage(panelWidth, panelHeight, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = to.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    g.drawImage(from, 0, 0, panelWidth, panelHeight, null);
    g.dispose();
    return to;
  }

  private int token(int x, int y) {
    return y / cell * what.width() + x / cell;
  }

  private BufferedImage heated(BufferedImage picture) {
    float low = least();
    float range = Math.max(most() - low, Float.MIN_NORMAL);
    return each(
        picture,
        (x, y, rgb) -> {
          // The square root: a few tokens stand far above the others.
          int heat = Viridis.rgb(Math.sqrt((what.importance()[token(x, y)] - low) / range));
          return mix(mix(grey(rgb), 0x404040, 0.4), heat, HEAT);
        });
  }

  private BufferedImage dimmed(BufferedImage picture) {
    boolean[] kept = Explanation.mask(what.kept(), what.tokens());
    // Lines between tokens, so that single ones can be told apart.
    return each(
        picture,
        (x, y, rgb) -> {
          boolean edge = cell >= 8 && (x % cell == 0 || y % cell == 0);
          if (kept[token(x, y)]) {
            return edge ? mix(rgb, 0xffffff, 0.35) : rgb;
          }
          return mix(grey(rgb), edge ? 0x3c434b : 0x2b3138, 0.86);
        });
  }

  private void outlineRecovered(Graphics2D g, int left) {
    g.setColor(BACK);
    g.setStroke(new BasicStroke(2));
    for (int token : what.recovered()) {
      int x = left + token % what.width() * cell;
      int y = top + token / what.width() * cell;
      g.draw(new Rectangle2D.Double(x + 1.5, y + 1.5, cell - 2, cell - 2));
    }
    if (what.recovered().length > 0) {
      String label = "put back by recovery: " + what.recovered().length;
      double x = left + panelWidth - letters.width(label, TEXT, false);
      letters.draw(g, label, x, top - 10, TEXT, false, SOFT);
      g.setColor(BACK);
      g.draw(new Rectangle2D.Double(x - 20, top - 21, 11, 11));
    }
  }

  /** From the least importance, below, to the most; 1 is the mean of all tokens. */
  private void bar(Graphics2D g, int x) {
    for (int y = 0; y < panelHeight; y++) {
      int heat = Viridis.rgb(1 - y / (double) (panelHeight - 1));
      g.setColor(new Color(mix(mix(0xf0f0f0, 0x404040, 0.4), heat, HEAT)));
      g.fillRect(x, top + y, BAR, 1);
    }
    double sum = 0;
    for (float value : what.importance()) {
      sum += value;
    }
    double mean = sum / what.importance().length;
    for (int tick = 0; tick <= 4; tick++) {
      double part = tick / 4.0;
      double value = (least() + (most() - least()) * part * part) / (mean == 0 ? 1 : mean);
      double y = top + panelHeight - 1 - part * (panelHeight - 1);
      g.setColor(SOFT);
      g.fillRect(x + BAR, (int) y, 4, 1);
      double base = Math.min(Math.max(y + 5, top + 11), top + panelHeight);
      letters.draw(g, number(value), x + BAR + 8, base, TEXT - 2, false, SOFT);
    }
    letters.draw(g, "mean = 1", x - 4, top - 10, TEXT - 2, false, SOFT);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, Math.abs(value) < 10 ? "%.2f" : "%.0f", value);
  }

  private float least() {
    float least = Float.POSITIVE_INFINITY;
    for (float value : what.importance()) {
      least = Math.min(least, value);
    }
    return least;
  }

  private float most() {
    float most = Float.NEGATIVE_INFINITY;
    for (float value : what.importance()) {
      most = Math.max(most, value);
    }
    return most;
  }

  private interface PerPixel {
    int rgb(int x, int y, int rgb);
  }

  private static BufferedImage each(BufferedImage picture, PerPixel change) {
    BufferedImage out =
        new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < out.getHeight(); y++) {
      for (int x = 0; x < out.getWidth(); x++) {
        out.setRGB(x, y, change.rgb(x, y, picture.getRGB(x, y) & 0xffffff));
      }
    }
    return out;
  }

  private static int grey(int rgb) {
    int y = (299 * (rgb >> 16 & 255) + 587 * (rgb >> 8 & 255) + 114 * (rgb & 255)) / 1000;
    return y << 16 | y << 8 | y;
  }

  /** {@code t} of {@code b}, the rest {@code a}. */
  private static int mix(int a, int b, double t) {
    int out = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
      double value = (a >> shift & 255) * (1 - t) + (b >> shift & 255) * t;
      out |= (int) Math.round(value) << shift;
    }
    return out;
  }

  private static RgbImage rgb(BufferedImage image) {
    byte[] pixels = new byte[3 * image.getWidth() * image.getHeight()];
    int at = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        int rgb = image.getRGB(x, y);
        pixels[at++] = (byte) (rgb >> 16);
        pixels[at++] = (byte) (rgb >> 8);
        pixels[at++] = (byte) rgb;
      }
    }
    return new RgbImage(image.getWidth(), image.getHeight(), pixels);
  }
}
