package io.topv.engine.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The methods of Python's built-in types that templates may call. */
final class Methods {
  private static final Map<String, Body> STR = StringMethods.table();
  private static final Map<String, Body> DICT = dictTable();
  private static final Map<String, Body> SEQUENCE = sequenceTable();

  // Python has these too; saying "unsupported" beats Jinja's silent Undefined for a name it lacks.
  private static final Set<String> STR_OTHER =
      Set.of(
          "casefold center encode expandtabs format_map isalnum isascii isdecimal isidentifier"
              .split(" "));
  private static final Set<String> STR_OTHER_MORE =
      Set.of(
          "isnumeric isprintable istitle ljust maketrans rjust swapcase translate zfill"
              .split(" "));
  private static final Set<String> DICT_OTHER =
      Set.of("clear fromkeys pop popitem setdefault update".split(" "));
  private static final Set<String> LIST_OTHER =
      Set.of("append clear copy extend insert pop remove reverse sort".split(" "));
  private static final Set<String> NUMBER_OTHER =
      Set.of(
          ("real imag numerator denominator conjugate bit_length bit_count to_bytes from_bytes"
                  + " as_integer_ratio is_integer hex fromhex")
              .split(" "));

  interface Body {
    Object call(Object self, Args args, Frame f);
  }

  private Methods() {}

  /** The method {@code name} of {@code self}, bound to it. */
  static Optional<Callable> find(Object self, String name) {
    Map<String, Body> table = Map.of();
    boolean known = false;
    if (self instanceof String || self instanceof Markup) {
      table = STR;
      known = STR_OTHER.contains(name) || STR_OTHER_MORE.contains(name);
    } else if (self instanceof Map) {
      table = DICT;
      known = DICT_OTHER.contains(name);
    } else if (self instanceof List || self instanceof Tuple) {
      table = SEQUENCE;
      known = self instanceof List && LIST_OTHER.contains(name);
    } else if (Py.isNumber(self)) {
      known = NUMBER_OTHER.contains(name);
    } else if (!(self instanceof None)) {
      // Views, generators, functions and macros: their attributes have no place in a template.
      known = true;
    }
    Body body = table.get(name);
    if (body == null && known) {
      throw new TemplateError("unsupported: '" + name + "' of a value of type " + Py.type(self));
    }
    return body == null
        ? Optional.empty()
        : Optional.of(Callable.of(name, (f, args) -> run(body, self, name, args, f)));
  }

  private static Object run(Body body, Object self, String name, Args args, Frame f) {
    f.budget().charge(1 + Py.sizeHint(self));
    if (self instanceof Markup m) {
      return onMarkup(body, m, name, args, f);
    }
    Object result = body.call(self, args, f);
    f.budget().charge(Py.sizeHint(result));
    return result;
  }

  /** Marked text stays marked; methods with arguments would have to escape those. */
  private static Object onMarkup(Body body, Markup self, String name, Args args, Frame f) {
    boolean plain = args.positional().isEmpty() && args.named().isEmpty();
    Object result = plain ? body.call(self.text(), args, f) : null;
    if (result instanceof String s) {
      return new Markup(s);
    } else if (result instanceof Boolean) {
      return result;
    }
    throw new TemplateError("unsupported: '" + name + "' of text marked as HTML");
  }

  private static Map<String, Body> dictTable() {
    return Map.of(
        "items", (self, args, f) -> new View("dict_items", items(map(self))),
        "keys", (self, args, f) -> new View("dict_keys", new ArrayList<>(map(self).keySet())),
        "values", (self, args, f) -> new View("dict_values", new ArrayList<>(map(self).values())),
        "get", (self, args, f) -> get(map(self), args.expect("dict.get", "key", "default")),
        "copy", (self, args, f) -> new LinkedHashMap<>(map(self)));
  }

  static List<Object> items(Map<?, ?> m) {
    List<Object> out = new ArrayList<>(m.size());
    m.forEach((k, v) -> out.add(new Tuple(List.of(k, v))));
    return out;
  }

  private static Object get(Map<?, ?> m, Args args) {
    if (!args.named().isEmpty()) {
      throw new TemplateError("dict.get takes no named arguments");
    }
    Object found = m.get(Py.key(args.required("dict.get", 0, "key")));
    return found != null ? found : args.get(1, "default", None.NONE);
  }

  private static Map<?, ?> map(Object self) {
    return (Map<?, ?>) self;
  }

  private static Map<String, Body> sequenceTable() {
    return Map.of(
        "index", (self, args, f) -> indexOf(self, args.expect("index", "value")),
        "count", (self, args, f) -> countOf(self, args.expect("count", "value")));
  }

  private static Object indexOf(Object self, Args args) {
    Object value = args.required("index", 0, "value");
    List<Object> items = Py.iterate(self);
    for (int i = 0; i < items.size(); i++) {
      if (Py.equal(items.get(i), value)) {
        return (long) i;
      }
    }
    throw new TemplateError("value is not in the " + Py.type(self));
  }

  private static Object countOf(Object self, Args args) {
    Object value = args.required("count", 0, "value");
    return Py.iterate(self).stream().filter(x -> Py.equal(x, value)).count();
  }
}
