package io.topv.cli.eval;

import io.topv.engine.TopvException;
import io.topv.engine.prune.TopvSettings;
import io.topv.runtime.Solver;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** TopV's parameters by name, as a sweep changes them. */
final class Settings {
  private Settings() {}

  /**
   * The settings of each point of a sweep, such as {@code epsilon=0.05,0.1;sigma=2,5} (four of
   * them), by what tells them apart.
   */
  static Map<String, TopvSettings> sweep(TopvSettings base, String sweep) {
    Map<String, TopvSettings> points = new LinkedHashMap<>();
    points.put("", base);
    for (String axis : sweep.split(";")) {
      String[] nameAndValues = axis.strip().split("=", 2);
      if (nameAndValues.length < 2) {
        throw new TopvException(
            "sweep = \"" + sweep + "\": expected NAME=VALUE[,VALUE...][;NAME=...]");
      }
      Map<String, TopvSettings> next = new LinkedHashMap<>();
      points.forEach(
          (label, settings) -> {
            for (String value : nameAndValues[1].split(",")) {
              String point = nameAndValues[0].strip() + "=" + value.strip();
              next.put(
                  label.isEmpty() ? point : label + " " + point,
                  with(settings, nameAndValues[0].strip(), value.strip()));
            }
          });
      points = next;
    }
    return points;
  }

  static TopvSettings with(TopvSettings s, String name, String value) {
    Map<String, String> fields = fields(s);
    if (fields.replace(name, value) == null) {
      throw new TopvException(
          "sweep: \"" + name + "\" is unknown; expected one of " + fields.keySet());
    }
    return new TopvSettings(
        integer(fields, "layer"),
        integer(fields, "recover-every"),
        solver(fields.get("solver")),
        integer(fields, "iterations"),
        number(fields, "alpha"),
        number(fields, "beta"),
        number(fields, "gamma"),
        number(fields, "sigma"),
        number(fields, "epsilon"),
        number(fields, "lambda"),
        fields.get("marginals").equals("uniform"),
        s.policy());
  }

  static Solver solver(String name) {
    for (Solver solver : Solver.values()) {
      if (solver.name().equalsIgnoreCase(name)) {
        return solver;
      }
    }
    throw new TopvException(
        "solver = \""
            + name
            + "\" is unknown; expected one_sided, unbalanced, printed, standard_uv or standard_vu");
  }

  private static Map<String, String> fields(TopvSettings s) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("layer", Integer.toString(s.layer()));
    fields.put("solver", name(s.solver()));
    fields.put("epsilon", Float.toString(s.epsilon()));
    fields.put("sigma", Float.toString(s.sigma()));
    fields.put("gamma", Float.toString(s.gamma()));
    fields.put("alpha", Float.toString(s.alpha()));
    fields.put("beta", Float.toString(s.beta()));
    fields.put("iterations", Integer.toString(s.iterations()));
    fields.put("lambda", Float.toString(s.lambda()));
    fields.put("marginals", s.uniform() ? "uniform" : "norms");
    fields.put("recover-every", Integer.toString(s.recoverEvery()));
    return fields;
  }

  static String name(Solver solver) {
    return solver.name().toLowerCase(Locale.ROOT);
  }

  /** All parameters in one word. */
  static String key(TopvSettings s) {
    List<String> parts = new ArrayList<>();
    fields(s).forEach((name, value) -> parts.add(name + "=" + value));
    return String.join(",", parts);
  }

  private static int integer(Map<String, String> fields, String name) {
    try {
      return Integer.parseInt(fields.get(name));
    } catch (NumberFormatException e) {
      throw new TopvException(
          "sweep: " + name + " = \"" + fields.get(name) + "\" is not an integer", e);
    }
  }

  private static float number(Map<String, String> fields, String name) {
    try {
      return Float.parseFloat(fields.get(name));
    } catch (NumberFormatException e) {
      throw new TopvException(
          "sweep: " + name + " = \"" + fields.get(name) + "\" is not a number", e);
    }
  }
}
