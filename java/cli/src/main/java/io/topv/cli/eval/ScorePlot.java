package io.topv.cli.eval;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * Scores as an SVG plot: visual tokens across on a logarithmic scale, accuracy up, a line per
 * method, the spread of seeds as a band.
 */
public final class ScorePlot {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 480;
  private static final int LEFT = 64;
  private static final int RIGHT = 240;
  private static final int TOP = 44;
  private static final int BOTTOM = 60;

  /** Okabe and Ito's colours: apart for all kinds of colour vision. */
  private static final String[] COLORS = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6a3d9a", "#8c510a"
  };

  private final List<Score> scores;
  private final StringBuilder out = new StringBuilder();
  private final double least;
  private final double most;
  private final double floor;
  private final double ceiling;

  private ScorePlot(List<Score> scores) {
    this.scores = scores;
    this.least = scores.stream().mapToInt(Score::budget).min().orElse(1);
    this.most = Math.max(least + 1, scores.stream().mapToInt(Score::budget).max().orElse(2));
    double low = scores.stream().mapToDouble(Score::lowestSeed).min().orElse(0);
    double high = scores.stream().mapToDouble(Score::highestSeed).max().orElse(1);
    this.floor = Math.max(0, Math.floor(low * 10) / 10);
    this.ceiling = Math.max(floor + 0.1, Math.min(1, Math.ceil(high * 10) / 10));
  }

  public static String svg(List<Score> scores, String title) {
    return new ScorePlot(scores).draw(title);
  }

  private String draw(String title) {
    out.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="13" fill="#1b1f24">
        <rect width="100%%" height="100%%" fill="#ffffff"/>
        """
            .formatted(WIDTH, HEIGHT, WIDTH, HEIGHT));
    text(LEFT, 26, "start", "font-size=\"16\" font-weight=\"bold\"", title);
    axes();
    Map<String, List<Score>> byName = new LinkedHashMap<>();
    scores.forEach(s -> byName.computeIfAbsent(s.name(), n -> new ArrayList<>()).add(s));
    int color = 0;
    int row = 0;
    for (Map.Entry<String, List<Score>> line : byName.entrySet()) {
      boolean none = line.getValue().get(0).method().equals("none");
      String stroke = none ? "#57606a" : COLORS[color++ % COLORS.length];
      if (none) {
        double y = y(line.getValue().get(0).accuracy().value());
        polyline(stroke + "\" stroke-dasharray=\"6 5", List.of(LEFT * 1.0, y, right(), y));
      } else {
        series(line.getValue(), stroke);
      }
      legend(row++, line.getKey(), stroke, none);
    }
    return out.append("</svg>\n").toString();
  }

  private void axes() {
    for (double tick = floor; tick <= ceiling + 1e-9; tick += 0.1) {
      double y = y(tick);
      out.append(line("#e5e8ec", LEFT, y, right(), y));
      text(LEFT - 8, y + 4, "end", "fill=\"#57606a\"", Math.round(tick * 100) + " %");
    }
    for (int budget : new TreeSet<>(scores.stream().map(Score::budget).toList())) {
      double x = x(budget);
      out.append(line("#e5e8ec", x, TOP, x, HEIGHT - BOTTOM));
      text(x, HEIGHT - BOTTOM + 20, "middle", "fill=\"#57606a\"", Integer.toString(budget));
    }
    text(
        (LEFT + right()) / 2,
        HEIGHT - 14,
        "middle",
        "",
        "visual tokens per image above the pruning layer (logarithmic)");
  }

  private void series(List<Score> line, String color) {
    List<Score> sorted =
        line.stream().sorted((a, b) -> Integer.compare(a.tokens(), b.tokens())).toList();
    if (sorted.stream().anyMatch(s -> s.perSeed().length > 1)) {
      List<Double> band = new ArrayList<>();
      sorted.forEach(s -> add(band, x(s.tokens()), y(s.highestSeed())));
      for (int i = sorted.size() - 1; i >= 0; i--) {
        add(band, x(sorted.get(i).tokens()), y(sorted.get(i).lowestSeed()));
      }
      out.append(
          "<polygon fill=\"%s\" fill-opacity=\"0.18\" points=\"%s\"/>\n"
              .formatted(color, points(band)));
    }
    List<Double> at = new ArrayList<>();
    sorted.forEach(s -> add(at, x(s.tokens()), y(s.accuracy().value())));
    polyline(color, at);
    for (int i = 0; i < at.size(); i += 2) {
      out.append(
          "<circle cx=\"%s\" cy=\"%s\" r=\"3.5\" fill=\"%s\"/>\n"
              .formatted(number(at.get(i)), number(at.get(i + 1)), color));
    }
  }

  private void legend(int row, String name, String color, boolean dashed) {
    double y = TOP + 12 + row * 22;
    polyline(
        color + (dashed ? "\" stroke-dasharray=\"6 5" : ""),
        List.of(right() + 18, y - 4, right() + 44, y - 4));
    text(right() + 52, y, "start", "", name);
  }

  private static void add(List<Double> points, double x, double y) {
    points.add(x);
    points.add(y);
  }

  private void polyline(String color, List<Double> points) {
    out.append(
        "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"%s\"/>\n"
            .formatted(color, points(points)));
  }

  private static String points(List<Double> points) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < points.size(); i += 2) {
      text.append(i == 0 ? "" : " ");
      text.append(number(points.get(i))).append(',').append(number(points.get(i + 1)));
    }
    return text.toString();
  }

  private static String line(String color, double x1, double y1, double x2, double y2) {
    return "<line stroke=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n"
        .formatted(color, number(x1), number(y1), number(x2), number(y2));
  }

  private void text(double x, double y, String anchor, String style, String text) {
    String safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    out.append(
        "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\" %s>%s</text>\n"
            .formatted(number(x), number(y), anchor, style, safe));
  }

  private static double right() {
    return WIDTH - RIGHT;
  }

  private double x(double tokens) {
    double part = Math.log(tokens / least) / Math.log(most / least);
    return LEFT + 16 + part * (right() - LEFT - 32);
  }

  private double y(double accuracy) {
    return HEIGHT - BOTTOM - (accuracy - floor) / (ceiling - floor) * (HEIGHT - BOTTOM - TOP);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
