package io.topv.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The {@code tojson} filter that transformers installs: Python's json.dumps. */
final class Json {
  private static final int MAX_LENGTH = 10_000_000;

  private final boolean ascii;
  private final String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sorted;
  private final StringBuilder out = new StringBuilder();

  private Json(boolean ascii, String indent, String item, String key, boolean sorted) {
    this.ascii = ascii;
    this.indent = indent;
    this.itemSeparator = item;
    this.keySeparator = key;
    this.sorted = sorted;
  }

  /** {@code value | tojson(ensure_ascii, indent, separators, sort_keys)}. */
  static Object filter(Object value, Args args, Frame f) {
    args.expect("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    Object indent = args.get(1, "indent", None.NONE);
    Object separators = args.get(2, "separators", None.NONE);
    String item = indent == None.NONE ? ", " : ",";
    String key = ": ";
    if (separators != None.NONE) {
      List<Object> pair = Py.iterate(separators);
      if (pair.size() != 2) {
        throw new TemplateError("tojson: 'separators' must be a pair");
      }
      item = Py.text(pair.get(0), "a separator");
      key = Py.text(pair.get(1), "a separator");
    }
    boolean ascii = Py.truth(args.get(0, "ensure_ascii", false));
    boolean sorted = Py.truth(args.get(3, "sort_keys", false));
    Json json = new Json(ascii, pad(indent), item, key, sorted);
    json.value(value, 0);
    return f.budget().text(json.out.toString());
  }

  /** The text of one indentation level; null for all on one line. */
  private static String pad(Object indent) {
    if (indent == None.NONE) {
      return null;
    }
    if (indent instanceof String s) {
      return s;
    }
    return " ".repeat((int) Math.max(0, Math.min(1000, Py.integer(indent, "'indent'"))));
  }

  private void value(Object v, int level) {
    if (out.length() > MAX_LENGTH) {
      throw new TemplateError("a value is too large for tojson");
    }
    if (v instanceof String s) {
      string(s);
    } else if (v instanceof Markup m) {
      string(m.text());
    } else if (v instanceof List<?> l) {
      array(l, level);
    } else if (v instanceof Tuple t) {
      array(t.items(), level);
    } else if (v instanceof Map<?, ?> m) {
      object(m, level);
    } else if (v == None.NONE || Py.isNumber(v)) {
      out.append(scalar(v));
    } else {
      throw new TemplateError("a value of type " + Py.type(v) + " has no JSON form");
    }
  }

  private static String scalar(Object v) {
    if (v == None.NONE) {
      return "null";
    } else if (v instanceof Boolean b) {
      return b ? "true" : "false";
    } else if (v instanceof Double d && (d.isNaN() || d.isInfinite())) {
      return d.isNaN() ? "NaN" : d > 0 ? "Infinity" : "-Infinity";
    }
    return Py.repr(v);
  }

  private void array(List<?> items, int level) {
    String separator = "";
    out.append('[');
    for (Object item : items) {
      out.append(separator);
      newline(level + 1);
      value(item, level + 1);
      separator = itemSeparator;
    }
    if (!items.isEmpty()) {
      newline(level);
    }
    out.append(']');
  }

  private void object(Map<?, ?> m, int level) {
    List<Object> keys = new ArrayList<>(m.keySet());
    if (sorted) {
      keys.sort(Py::order);
    }
    String separator = "";
    out.append('{');
    for (Object key : keys) {
      out.append(separator);
      newline(level + 1);
      string(key instanceof String s ? s : scalar(key));
      out.append(keySeparator);
      value(m.get(key), level + 1);
      separator = itemSeparator;
    }
    if (!keys.isEmpty()) {
      newline(level);
    }
    out.append('}');
  }

  private void newline(int level) {
    if (indent != null) {
      if ((long) indent.length() * level > MAX_LENGTH) {
        throw new TemplateError("a value is too large for tojson");
      }
      out.append('\n').append(indent.repeat(level));
    }
  }

  private void string(String s) {
    out.append('"');
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < 0x20 || (ascii && c > 0x7e)) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
