package io.topv.engine.template;

import io.topv.engine.template.Filters.Body;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters on text. */
final class TextFilters {
  private static final Pattern WORD_START =
      Pattern.compile("[-\\s({\\[<]+|[^-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

  private TextFilters() {}

  static Map<String, Body> table() {
    Map<String, Body> t = new HashMap<>();
    simple(t, "upper", PyText::upper);
    simple(t, "lower", PyText::lower);
    simple(t, "capitalize", PyText::capitalize);
    simple(t, "title", TextFilters::title);
    simple(t, "string", s -> s);
    t.put("trim", (v, args, f) -> trim(v, args));
    t.put("replace", TextFilters::replace);
    t.put("indent", TextFilters::indent);
    t.put("format", (v, args, f) -> format(v, args, f));
    t.put("escape", (v, args, f) -> escape(v));
    t.put("e", (v, args, f) -> escape(v));
    t.put("safe", (v, args, f) -> new Markup(Py.str(v)));
    t.put("wordcount", (v, args, f) -> wordCount(v));
    return t;
  }

  private static void simple(Map<String, Body> t, String name, UnaryOperator<String> op) {
    t.put(
        name,
        (v, args, f) -> {
          args.expect(name);
          return f.budget().text(op.apply(Py.str(v)));
        });
  }

  private static Object trim(Object v, Args args) {
    Object chars = args.expect("trim", "chars").get(0, "chars", None.NONE);
    return chars == None.NONE
        ? PyText.strip(Py.str(v))
        : PyText.strip(Py.str(v), Py.text(chars, "'chars'"), true, true);
  }

  private static String title(String s) {
    StringBuilder out = new StringBuilder();
    Matcher m = WORD_START.matcher(s);
    while (m.find()) {
      int first = Character.charCount(m.group().codePointAt(0));
      out.append(PyText.upper(m.group().substring(0, first)));
      out.append(PyText.lower(m.group().substring(first)));
    }
    return out.toString();
  }

  private static Object replace(Object v, Args args, Frame f) {
    args.expect("replace", "old", "new", "count");
    String old = Py.str(args.required("replace", 0, "old"));
    String fresh = Py.str(args.required("replace", 1, "new"));
    Object count = args.get(2, "count", None.NONE);
    long n = count == None.NONE ? -1 : Py.integer(count, "'count'");
    return StringMethods.replace(Py.str(v), old, fresh, n, f);
  }

  private static Object indent(Object v, Args args, Frame f) {
    args.expect("indent", "width", "first", "blank");
    Object width = args.get(0, "width", 4L);
    String pad = width instanceof String s ? s : spaces(Py.integer(width, "'width'"), f);
    boolean first = Py.truth(args.get(1, "first", false));
    boolean blank = Py.truth(args.get(2, "blank", false));
    // Python's splitlines over text plus one newline, as Jinja does it.
    List<Object> lines = StringMethods.lines(Py.text(v, "the input of indent") + "\n", false);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      boolean padded = i == 0 ? first : blank || !line.isEmpty();
      f.budget().grow(out.length(), (long) line.length() + pad.length() + 1);
      out.append(i == 0 ? "" : "\n").append(padded ? pad : "").append(line);
    }
    return out.toString();
  }

  private static String spaces(long n, Frame f) {
    long width = Math.max(0, n);
    f.budget().length(width);
    return " ".repeat((int) width);
  }

  private static Object format(Object v, Args args, Frame f) {
    if (!args.named().isEmpty()) {
      throw new TemplateError("unsupported: filter 'format' with named arguments");
    }
    String text = PyFormat.percent(Py.str(v), new Tuple(args.positional()));
    return f.budget().text(text);
  }

  private static Object escape(Object v) {
    if (v instanceof Markup) {
      return v;
    }
    return new Markup(
        Py.str(v)
            .replace("&", "&amp;")
            .replace(">", "&gt;")
            .replace("<", "&lt;")
            .replace("'", "&#39;")
            .replace("\"", "&#34;"));
  }

  private static Object wordCount(Object v) {
    Matcher m = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS).matcher(Py.str(v));
    return m.results().count();
  }
}
