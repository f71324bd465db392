package io.topv.engine.template;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** The part of Python's string formatting that templates use: %s %r %d %% and plain {} fields. */
final class PyFormat {
  private PyFormat() {}

  /** {@code format % values}. */
  static String percent(String format, Object values) {
    List<Object> list = values instanceof Tuple t ? t.items() : List.of(values);
    Iterator<Object> next = list.iterator();
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      char kind = ++i < format.length() ? format.charAt(i) : 0;
      if (kind == '%') {
        out.append('%');
      } else if ("srd".indexOf(kind) < 0) {
        throw new TemplateError("unsupported format " + PyText.repr("%" + kind));
      } else if (!next.hasNext()) {
        throw new TemplateError("not enough arguments for format string");
      } else {
        Object v = next.next();
        out.append(
            switch (kind) {
              case 's' -> Py.str(v);
              case 'r' -> Py.repr(v);
              default -> Long.toString(Py.integer(v, "the value of %d"));
            });
      }
    }
    // Python takes a list or dict for a mapping of names, which need not all be used.
    if (next.hasNext() && !(values instanceof List) && !(values instanceof Map)) {
      throw new TemplateError("not all arguments converted during string formatting");
    }
    return out.toString();
  }

  /** {@code format.format(args)}: fields {}, {0} and {name}, without format specifications. */
  static String braces(String format, Args args) {
    StringBuilder out = new StringBuilder();
    int auto = 0;
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
      if (c != '{' && c != '}') {
        out.append(c);
      } else if (doubled) {
        out.append(c);
        i++;
      } else {
        int end = c == '{' ? format.indexOf('}', i) : -1;
        if (end < 0) {
          throw new TemplateError("single '" + c + "' in format string");
        }
        String field = format.substring(i + 1, end);
        out.append(Py.str(field.isEmpty() ? position(args, auto++) : field(args, field)));
        i = end;
      }
    }
    return out.toString();
  }

  private static Object field(Args args, String field) {
    if (field.matches("[0-9]{1,4}")) {
      return position(args, Integer.parseInt(field));
    }
    if (!field.matches("\\w+")) {
      throw new TemplateError("unsupported format field {" + PyText.abbreviate(field) + "}");
    }
    if (!args.named().containsKey(field)) {
      throw new TemplateError("no argument '" + field + "' for the format string");
    }
    return args.named().get(field);
  }

  private static Object position(Args args, int i) {
    if (i >= args.positional().size()) {
      throw new TemplateError("no argument " + i + " for the format string");
    }
    return args.positional().get(i);
  }
}
