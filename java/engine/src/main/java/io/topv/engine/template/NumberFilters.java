package io.topv.engine.template;

import io.topv.engine.template.Filters.Body;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Filters on numbers. */
final class NumberFilters {
  private NumberFilters() {}

  static Map<String, Body> table() {
    Map<String, Body> t = new HashMap<>();
    t.put("int", (v, args, f) -> toInt(v, args.expect("int", "default", "base")));
    t.put("float", (v, args, f) -> toFloat(v, args.expect("float", "default")));
    t.put("abs", (v, args, f) -> absolute(v));
    t.put("round", (v, args, f) -> round(v, args.expect("round", "precision", "method")));
    return t;
  }

  private static Object toInt(Object v, Args args) {
    refuseUndefined(v);
    long base = Py.integer(args.get(1, "base", 10L), "'base'");
    if (base != 10) {
      throw new TemplateError("unsupported: filter 'int' with base " + base);
    }
    Object otherwise = args.get(0, "default", 0L);
    if (v instanceof Double d) {
      if (Double.isNaN(d) || Double.isInfinite(d)) {
        return otherwise;
      }
      return whole(d);
    }
    if (v instanceof Long || v instanceof Boolean) {
      return Py.integer(v, "");
    }
    if (!(v instanceof String s)) {
      return otherwise;
    }
    OptionalLong parsed = parseLong(s);
    if (parsed.isPresent()) {
      return parsed.getAsLong();
    }
    OptionalDouble real = parseDouble(s);
    boolean finite = real.isPresent() && !Double.isInfinite(real.getAsDouble());
    return finite && !Double.isNaN(real.getAsDouble())
        ? (Object) whole(real.getAsDouble())
        : otherwise;
  }

  private static long whole(double d) {
    if (Math.abs(d) >= 0x1p63) {
      throw new TemplateError("unsupported: an integer beyond 64 bits");
    }
    return (long) d;
  }

  private static OptionalLong parseLong(String s) {
    String digits = PyText.strip(s);
    if (!digits.matches("[+-]?\\d+(_\\d+)*")) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseLong(digits.replace("_", "")));
    } catch (NumberFormatException e) {
      throw new TemplateError("unsupported: an integer beyond 64 bits");
    }
  }

  private static OptionalDouble parseDouble(String s) {
    String t =
        PyText.strip(s).replaceAll("(?<=\\d)_(?=\\d)", "").toLowerCase(java.util.Locale.ROOT);
    if (t.matches("[+-]?(inf|infinity)")) {
      return OptionalDouble.of(
          t.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
    } else if (t.matches("[+-]?nan")) {
      return OptionalDouble.of(Double.NaN);
    }
    boolean number = t.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)(e[+-]?\\d+)?");
    return number ? OptionalDouble.of(Double.parseDouble(t)) : OptionalDouble.empty();
  }

  private static void refuseUndefined(Object v) {
    if (v instanceof Undefined u) {
      throw u.error();
    }
  }

  private static Object toFloat(Object v, Args args) {
    refuseUndefined(v);
    if (v instanceof Double) {
      return v;
    } else if (v instanceof Long || v instanceof Boolean) {
      return (double) Py.integer(v, "");
    }
    OptionalDouble d = v instanceof String s ? parseDouble(s) : OptionalDouble.empty();
    return d.isPresent() ? (Object) d.getAsDouble() : args.get(0, "default", 0.0);
  }

  private static Object absolute(Object v) {
    if (v instanceof Double d) {
      return Math.abs(d);
    }
    long n = Py.integer(v, "the input of abs");
    return n < 0 ? PyMath.unary("-", n) : n;
  }

  private static Object round(Object v, Args args) {
    int precision =
        (int)
            Math.max(-400, Math.min(400, Py.integer(args.get(0, "precision", 0L), "'precision'")));
    String method = Py.text(args.get(1, "method", "common"), "'method'");
    if (!method.equals("common")) {
      throw new TemplateError("unsupported: filter 'round' with method '" + method + "'");
    }
    if (v instanceof Double d) {
      if (Double.isNaN(d) || Double.isInfinite(d)) {
        return d;
      }
      return Math.copySign(
          new BigDecimal(d).setScale(precision, RoundingMode.HALF_EVEN).doubleValue(), d);
    }
    long n = Py.integer(v, "the input of round");
    return precision >= 0
        ? n
        : new BigDecimal(n).setScale(precision, RoundingMode.HALF_EVEN).longValueExact();
  }
}
