package io.topv.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Python's object protocol over the engine's values.
 *
 * <p>Values are String, Long (int), Double (float), Boolean, {@link None}, List, Map (insertion
 * order), {@link Tuple}, {@link View}, {@link Once}, {@link Undefined}, {@link Markup}, {@link
 * Namespace}, {@link Loop} and {@link Callable}.
 */
final class Py {
  /** Largest number of nodes that one comparison or one printed value may have. */
  private static final int MAX_NODES = 10_000_000;

  private Py() {}

  static String type(Object v) {
    if (v instanceof String || v instanceof Markup) {
      return "str";
    } else if (v instanceof Long) {
      return "int";
    } else if (v instanceof Double) {
      return "float";
    } else if (v instanceof Boolean) {
      return "bool";
    } else if (v instanceof None) {
      return "NoneType";
    } else if (v instanceof List) {
      return "list";
    } else if (v instanceof Map) {
      return "dict";
    } else if (v instanceof View view) {
      return view.kind();
    } else if (v instanceof Once) {
      return "generator";
    } else if (v instanceof Callable) {
      return "function";
    }
    return v.getClass().getSimpleName();
  }

  static boolean truth(Object v) {
    if (v instanceof Boolean b) {
      return b;
    } else if (v instanceof String s) {
      return !s.isEmpty();
    } else if (v instanceof Long n) {
      return n != 0;
    } else if (v instanceof Double d) {
      return d != 0;
    } else if (v instanceof Markup m) {
      return !m.text().isEmpty();
    }
    return !(v instanceof None || v instanceof Undefined) && (!isSized(v) || length(v) > 0);
  }

  static boolean isNumber(Object v) {
    return v instanceof Long || v instanceof Double || v instanceof Boolean;
  }

  private static boolean isSized(Object v) {
    return v instanceof List || v instanceof Map || v instanceof Tuple || v instanceof View;
  }

  static int length(Object v) {
    if (v instanceof String s) {
      return PyText.length(s);
    } else if (v instanceof Markup m) {
      return PyText.length(m.text());
    } else if (v instanceof List<?> l) {
      return l.size();
    } else if (v instanceof Map<?, ?> m) {
      return m.size();
    } else if (v instanceof Tuple t) {
      return t.items().size();
    } else if (v instanceof View view) {
      return view.items().size();
    } else if (v instanceof Undefined) {
      return 0;
    }
    throw new TemplateError("a value of type " + type(v) + " has no length");
  }

  /** About how many steps it costs to walk over {@code v}. */
  static long sizeHint(Object v) {
    if (v instanceof String s) {
      return s.length() >> 3;
    }
    return isSized(v) ? length(v) : 0;
  }

  /** The items that a loop over {@code v} sees. */
  static List<Object> iterate(Object v) {
    if (v instanceof List<?> l) {
      return new ArrayList<>(l);
    } else if (v instanceof Tuple t) {
      return t.items();
    } else if (v instanceof Map<?, ?> m) {
      return new ArrayList<>(m.keySet());
    } else if (v instanceof View view) {
      return view.items();
    } else if (v instanceof String s) {
      return PyText.characters(s);
    } else if (v instanceof Markup m) {
      return PyText.characters(m.text());
    } else if (v instanceof Once once) {
      return once.take();
    } else if (v instanceof Undefined) {
      return List.of();
    }
    throw new TemplateError("a value of type " + type(v) + " cannot be iterated");
  }

  static boolean isIterable(Object v) {
    return isSized(v)
        || v instanceof String
        || v instanceof Markup
        || v instanceof Once
        || v instanceof Undefined;
  }

  /** A value that may be a dictionary key. */
  static Object key(Object v) {
    if (v instanceof String || v instanceof Long || v instanceof None) {
      return v;
    }
    throw new TemplateError("unsupported: a dictionary key of type " + type(v));
  }

  /** The text of a string, where nothing else will do. */
  static String text(Object v, String what) {
    if (v instanceof String s) {
      return s;
    } else if (v instanceof Markup m) {
      return m.text();
    }
    throw new TemplateError(what + " must be a string, not " + type(v));
  }

  static long integer(Object v, String what) {
    if (v instanceof Long n) {
      return n;
    } else if (v instanceof Boolean b) {
      return b ? 1 : 0;
    }
    throw new TemplateError(what + " must be an integer, not " + type(v));
  }

  static boolean equal(Object a, Object b) {
    return equal(a, b, new int[] {MAX_NODES});
  }

  private static boolean equal(Object a, Object b, int[] left) {
    if (--left[0] < 0) {
      throw new TemplateError("values too large to compare");
    }
    if (a == b) {
      return !(a instanceof Double d) || !d.isNaN();
    } else if (isNumber(a) && isNumber(b)) {
      return PyMath.compare(a, b) == 0;
    } else if (a instanceof Undefined && b instanceof Undefined) {
      return true;
    } else if (a instanceof List<?> x && b instanceof List<?> y) {
      return equalItems(x, y, left);
    } else if (a instanceof Tuple x && b instanceof Tuple y) {
      return equalItems(x.items(), y.items(), left);
    } else if (a instanceof View x && b instanceof View y && x.isRange() && y.isRange()) {
      return equalItems(x.items(), y.items(), left);
    } else if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      return equalMaps(x, y, left);
    } else if (a instanceof Markup m) {
      return equal(m.text(), b, left);
    } else if (b instanceof Markup m) {
      return equal(a, m.text(), left);
    }
    return a instanceof String && a.equals(b);
  }

  private static boolean equalItems(List<?> a, List<?> b, int[] left) {
    if (a.size() != b.size()) {
      return false;
    }
    for (int i = 0; i < a.size(); i++) {
      if (!equal(a.get(i), b.get(i), left)) {
        return false;
      }
    }
    return true;
  }

  private static boolean equalMaps(Map<?, ?> a, Map<?, ?> b, int[] left) {
    if (a.size() != b.size()) {
      return false;
    }
    for (Map.Entry<?, ?> e : a.entrySet()) {
      if (!b.containsKey(e.getKey()) || !equal(e.getValue(), b.get(e.getKey()), left)) {
        return false;
      }
    }
    return true;
  }

  /** One comparison operator: == != < <= > >= in, "not in". */
  static boolean compare(String operator, Object a, Object b) {
    return switch (operator) {
      case "==" -> equal(a, b);
      case "!=" -> !equal(a, b);
      case "in" -> contains(b, a);
      case "not in" -> !contains(b, a);
      default -> {
        if (a instanceof Double x && x.isNaN() || b instanceof Double y && y.isNaN()) {
          yield false;
        }
        int order = order(a, b);
        yield switch (operator) {
          case "<" -> order < 0;
          case "<=" -> order <= 0;
          case ">" -> order > 0;
          default -> order >= 0;
        };
      }
    };
  }

  /** The order of two values; an error where Python has none. */
  static int order(Object a, Object b) {
    if (isNumber(a) && isNumber(b)) {
      return PyMath.compare(a, b);
    } else if (a instanceof String x && b instanceof String y) {
      return PyText.compare(x, y);
    } else if (a instanceof List<?> x && b instanceof List<?> y) {
      return orderItems(x, y);
    } else if (a instanceof Tuple x && b instanceof Tuple y) {
      return orderItems(x.items(), y.items());
    } else if (a instanceof Undefined u) {
      throw u.error();
    } else if (b instanceof Undefined u) {
      throw u.error();
    }
    throw new TemplateError("cannot order " + type(a) + " and " + type(b));
  }

  private static int orderItems(List<?> a, List<?> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      if (!equal(a.get(i), b.get(i))) {
        return order(a.get(i), b.get(i));
      }
    }
    return Integer.compare(a.size(), b.size());
  }

  private static boolean contains(Object container, Object item) {
    if (container instanceof String || container instanceof Markup) {
      if (item instanceof Undefined u) {
        throw u.error();
      }
      return str(container).contains(text(item, "the left side of 'in <string>'"));
    } else if (container instanceof Map<?, ?> m) {
      return m.containsKey(key(item));
    }
    for (Object x : iterate(container)) {
      if (equal(x, item)) {
        return true;
      }
    }
    return false;
  }

  /** Python's str(v). */
  static String str(Object v) {
    if (v instanceof String s) {
      return s;
    } else if (v instanceof Markup m) {
      return m.text();
    } else if (v instanceof Undefined) {
      return "";
    }
    return repr(v);
  }

  static String repr(Object v) {
    StringBuilder out = new StringBuilder();
    repr(v, out);
    return out.toString();
  }

  private static void repr(Object v, StringBuilder out) {
    if (out.length() > MAX_NODES) {
      throw new TemplateError("a value is too large to print");
    }
    if (v instanceof String s) {
      out.append(PyText.repr(s));
    } else if (v instanceof Long n) {
      out.append((long) n);
    } else if (v instanceof Double d) {
      out.append(PyText.repr(d));
    } else if (v instanceof Boolean b) {
      out.append(b ? "True" : "False");
    } else if (v instanceof None) {
      out.append("None");
    } else if (v instanceof Undefined) {
      out.append("Undefined");
    } else if (v instanceof List<?> l) {
      reprItems(l, "[", "]", out);
    } else if (v instanceof Tuple t) {
      reprItems(t.items(), "(", t.items().size() == 1 ? ",)" : ")", out);
    } else if (v instanceof Map<?, ?> m) {
      String separator = "{";
      for (Map.Entry<?, ?> e : m.entrySet()) {
        out.append(separator);
        repr(e.getKey(), out);
        out.append(": ");
        repr(e.getValue(), out);
        separator = ", ";
      }
      out.append(m.isEmpty() ? "{}" : "}");
    } else {
      throw new TemplateError("unsupported: printing a value of type " + type(v));
    }
  }

  private static void reprItems(List<?> items, String open, String close, StringBuilder out) {
    String separator = open;
    for (Object item : items) {
      out.append(separator);
      repr(item, out);
      separator = ", ";
    }
    out.append(items.isEmpty() ? open + close : close);
  }
}
