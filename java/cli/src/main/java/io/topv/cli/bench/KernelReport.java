package io.topv.cli.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Results as text.
 *
 * @param devices provider to what it says of itself
 * @param baseline provider that the others' speed-up refers to
 */
record KernelReport(
    Map<String, String> devices, List<KernelResult> results, String baseline, double seconds) {

  enum Format {
    table,
    csv,
    json,
    markdown
  }

  String text(Format format) {
    return switch (format) {
      case table -> head("") + table();
      case csv -> csv();
      case json -> json();
      case markdown -> head("- ") + "\n" + markdown();
    };
  }

  private List<Map<String, Object>> rows() {
    return results.stream()
        .map(
            result -> {
              Optional<KernelResult> base =
                  results.stream()
                      .filter(r -> r.provider().equals(baseline) && r.of().equals(result.of()))
                      .findFirst();
              return result.row(base, seconds);
            })
        .toList();
  }

  /** Columns that any row has. */
  private static List<String> columns(List<Map<String, Object>> rows) {
    Set<String> names = new LinkedHashSet<>();
    // A row without a problem has the most columns; problem and command come last.
    rows.stream().filter(row -> !row.containsKey("problem")).forEach(r -> names.addAll(r.keySet()));
    names.remove("speed_up");
    if (rows.stream().anyMatch(row -> row.containsKey("speed_up"))) {
      names.add("speed_up");
    }
    rows.stream().filter(row -> row.containsKey("problem")).forEach(r -> names.addAll(r.keySet()));
    names.remove("command");
    names.add("command");
    return List.copyOf(names);
  }

  private String head(String mark) {
    return devices.entrySet().stream()
            .map(device -> mark + device.getKey() + ": " + device.getValue() + "\n")
            .collect(Collectors.joining())
        + mark
        + "warm: runs in a row; cold: after a flush of the caches; rates and % of peak are of the"
        + " cold median, peak is a large copy and a large matrix product in this run\n"
        + mark
        + "speed_up: time of "
        + baseline
        + " by this\n";
  }

  private String table() {
    List<Map<String, Object>> rows = rows();
    List<String> names = columns(rows).stream().filter(name -> !name.equals("command")).toList();
    List<List<String>> cells = new ArrayList<>();
    cells.add(names);
    rows.forEach(row -> cells.add(names.stream().map(name -> cell(row.get(name))).toList()));
    int[] widths = new int[names.size()];
    for (List<String> line : cells) {
      for (int c = 0; c < widths.length; c++) {
        widths[c] = Math.max(widths[c], line.get(c).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> line : cells) {
      StringBuilder padded = new StringBuilder();
      for (int c = 0; c < widths.length; c++) {
        padded.append(("%-" + (widths[c] + 2) + "s").formatted(line.get(c)));
      }
      text.append(padded.toString().stripTrailing()).append('\n');
    }
    rows.forEach(row -> text.append(row.get("command")).append('\n'));
    return text.toString();
  }

  private String markdown() {
    List<Map<String, Object>> rows = rows();
    List<String> names = columns(rows);
    StringBuilder text = new StringBuilder();
    text.append("| ").append(String.join(" | ", names)).append(" |\n");
    text.append("|").append(" --- |".repeat(names.size())).append('\n');
    for (Map<String, Object> row : rows) {
      text.append(
          names.stream()
              .map(name -> cell(row.get(name)).replace("|", "\\|"))
              .map(value -> value.startsWith("topv ") ? "`" + value + "`" : value)
              .collect(Collectors.joining(" | ", "| ", " |\n")));
    }
    return text.toString();
  }

  private String csv() {
    List<Map<String, Object>> rows = rows();
    List<String> names = columns(rows);
    StringBuilder text = new StringBuilder(String.join(",", names)).append('\n');
    for (Map<String, Object> row : rows) {
      text.append(
          names.stream()
              .map(name -> row.containsKey(name) ? String.valueOf(row.get(name)) : "")
              .map(v -> v.matches(".*[\",\n].*") ? "\"" + v.replace("\"", "\"\"") + "\"" : v)
              .collect(Collectors.joining(",", "", "\n")));
    }
    return text.toString();
  }

  private String json() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("devices", devices);
    all.put("baseline", baseline);
    all.put("results", rows());
    return JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build()
            .writeValueAsString(all)
        + "\n";
  }

  private static String cell(Object value) {
    if (value == null) {
      return "-";
    }
    if (!(value instanceof Double number)) {
      return value.toString();
    }
    double size = Math.abs(number);
    String pattern =
        size == 0
            ? "%.0f"
            : size < 0.001 ? "%.1e" : size < 10 ? "%.3f" : size < 1000 ? "%.1f" : "%.0f";
    return String.format(Locale.ROOT, pattern, number);
  }
}
