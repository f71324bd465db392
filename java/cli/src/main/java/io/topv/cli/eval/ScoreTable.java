package io.topv.cli.eval;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/** Scores as Markdown, JSON and CSV. */
public final class ScoreTable {
  private static final JsonMapper JSON = new JsonMapper();

  private ScoreTable() {}

  /**
   * Methods down, budgets across, each cell "percent [Wilson 95 %]", or "failed"; the best of a
   * budget and the best mean are bold. The mean is over the budgets at which anything is pruned;
   * methods that failed at one have none.
   */
  public static String markdown(List<Score> scores, List<Failure> failures) {
    List<Integer> budgets =
        Stream.concat(scores.stream().map(Score::budget), failures.stream().map(Failure::budget))
            .distinct()
            .sorted(Comparator.reverseOrder())
            .toList();
    Map<String, List<Score>> rows = byName(scores);
    failures.forEach(failure -> rows.putIfAbsent(failure.name(), List.of()));
    List<List<String>> cells = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of("method"));
    budgets.forEach(budget -> head.add(Integer.toString(budget)));
    boolean means = budgets.size() > 2;
    if (means) {
      head.add("mean of pruned");
    }
    cells.add(head);
    Map<Integer, Double> best = new LinkedHashMap<>();
    scores.forEach(s -> best.merge(s.budget(), s.accuracy().value(), Math::max));
    double bestMean =
        rows.values().stream().mapToDouble(r -> mean(r, failures)).max().orElse(Double.NaN);
    rows.forEach(
        (name, ofName) -> {
          List<String> row = new ArrayList<>(List.of(name));
          for (int budget : budgets) {
            boolean failed =
                failures.stream().anyMatch(f -> f.name().equals(name) && f.budget() == budget);
            row.add(
                ofName.stream()
                    .filter(s -> s.budget() == budget)
                    .findFirst()
                    .map(s -> cell(s, s.accuracy().value() >= best.get(budget)))
                    .orElse(failed ? "failed" : ""));
          }
          if (means) {
            double mean = mean(ofName, failures);
            row.add(mean < 0 ? "" : bold(percent(mean), mean >= bestMean));
          }
          cells.add(row);
        });
    return layOut(cells);
  }

  private static String cell(Score s, boolean isBest) {
    StringBuilder cell = new StringBuilder(bold(percent(s.accuracy().value()), isBest));
    cell.append(" [%s, %s]".formatted(percent(s.accuracy().low()), percent(s.accuracy().high())));
    if (s.perSeed().length > 1) {
      cell.append(" seeds %s to %s".formatted(percent(s.lowestSeed()), percent(s.highestSeed())));
    }
    if (s.tokens() != s.budget()) {
      cell.append(" at ").append(s.tokens());
    }
    return cell.toString();
  }

  /** The same for one budget: types of question across. */
  public static String markdownByType(List<Score> scores, int budget) {
    List<Score> rows =
        scores.stream().filter(s -> s.budget() == budget || s.method().equals("none")).toList();
    List<List<String>> cells = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of("method, " + budget + " kept"));
    TreeSet<String> types = new TreeSet<>();
    rows.forEach(s -> types.addAll(s.byType().keySet()));
    for (String type : types) {
      head.add(type + " (" + rows.get(0).byType().get(type).total() + ")");
    }
    cells.add(head);
    for (Score s : rows) {
      List<String> row = new ArrayList<>(List.of(s.name()));
      types.forEach(type -> row.add(percent(s.byType().get(type).value())));
      cells.add(row);
    }
    return layOut(cells);
  }

  /** Of the {@code count} methods with the highest mean over the pruned budgets, best first. */
  public static List<Score> best(List<Score> scores, List<Failure> failures, int count) {
    return byName(scores).values().stream()
        .sorted(Comparator.comparingDouble(row -> -mean(row, failures)))
        .limit(count)
        .flatMap(List::stream)
        .toList();
  }

  private static Map<String, List<Score>> byName(List<Score> scores) {
    Map<String, List<Score>> rows = new LinkedHashMap<>();
    scores.forEach(s -> rows.computeIfAbsent(s.name(), n -> new ArrayList<>()).add(s));
    return rows;
  }

  /** -1 where there is none. */
  private static double mean(List<Score> row, List<Failure> failures) {
    if (failures.stream().anyMatch(f -> row.stream().anyMatch(s -> s.name().equals(f.name())))) {
      return -1;
    }
    return row.stream()
        .filter(s -> !s.method().equals("none"))
        .mapToDouble(s -> s.accuracy().value())
        .average()
        .orElse(-1);
  }

  private static String percent(double part) {
    return String.format(Locale.ROOT, "%.1f", 100 * part);
  }

  private static String bold(String text, boolean is) {
    return is ? "**" + text + "**" : text;
  }

  private static String layOut(List<List<String>> rows) {
    int columns = rows.get(0).size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder out = new StringBuilder();
    for (int r = 0; r < rows.size(); r++) {
      line(out, rows.get(r), widths);
      if (r == 0) {
        List<String> rule = new ArrayList<>();
        for (int width : widths) {
          rule.add("-".repeat(width));
        }
        line(out, rule, widths);
      }
    }
    return out.toString();
  }

  private static void line(StringBuilder out, List<String> cells, int[] widths) {
    for (int i = 0; i < widths.length; i++) {
      out.append("| ").append(cells.get(i)).append(" ".repeat(widths[i] - cells.get(i).length()));
      out.append(' ');
    }
    out.append("|\n");
  }

  /**
   * @param subject model, questions
   */
  public static String json(
      Map<String, Object> subject, List<Score> scores, List<Failure> failures) {
    Map<String, Object> out = new LinkedHashMap<>(subject);
    out.put("scores", scores.stream().map(ScoreTable::json).toList());
    out.put("failures", failures.stream().map(Failure::toString).toList());
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(out) + "\n";
  }

  private static Map<String, Object> json(Score s) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("method", s.method());
    out.put("variant", s.variant());
    out.put("budget", s.budget());
    out.put("tokens", s.tokens());
    out.put("questions", s.accuracy().total());
    out.put("accuracy", s.accuracy().value());
    out.put("low", s.accuracy().low());
    out.put("high", s.accuracy().high());
    out.put("seeds", s.perSeed());
    Map<String, Object> types = new LinkedHashMap<>();
    s.byType().forEach((type, p) -> types.put(type, p.value()));
    out.put("by_type", types);
    return out;
  }

  public static String csv(List<Score> scores) {
    StringBuilder out =
        new StringBuilder(
            "method,variant,budget,tokens,questions,accuracy,low,high,seed_min,seed_max\n");
    for (Score s : scores) {
      List<ToDoubleFunction<Score>> numbers =
          List.of(
              x -> x.accuracy().value(),
              x -> x.accuracy().low(),
              x -> x.accuracy().high(),
              Score::lowestSeed,
              Score::highestSeed);
      out.append(
          "%s,\"%s\",%d,%d,%d"
              .formatted(s.method(), s.variant(), s.budget(), s.tokens(), s.accuracy().total()));
      numbers.forEach(
          n -> out.append(',').append(String.format(Locale.ROOT, "%.4f", n.applyAsDouble(s))));
      out.append('\n');
    }
    return out.toString();
  }
}
