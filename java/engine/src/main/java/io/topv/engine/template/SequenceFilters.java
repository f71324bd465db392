package io.topv.engine.template;

import io.topv.engine.template.Filters.Body;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** Filters on lists, dictionaries and other things that can be iterated. */
final class SequenceFilters {
  private SequenceFilters() {}

  static Map<String, Body> table() {
    Map<String, Body> t = new HashMap<>();
    t.put("length", (v, args, f) -> (long) Py.length(v));
    t.put("count", (v, args, f) -> (long) Py.length(v));
    t.put("list", (v, args, f) -> new ArrayList<>(Py.iterate(v)));
    t.put("first", (v, args, f) -> first(v));
    t.put("last", (v, args, f) -> last(v));
    t.put("join", SequenceFilters::join);
    t.put("items", (v, args, f) -> items(v));
    t.put("dictsort", (v, args, f) -> dictSort(v, args));
    t.put("reverse", (v, args, f) -> reverse(v));
    t.put("sort", (v, args, f) -> sort(v, args, f));
    t.put("unique", (v, args, f) -> unique(v, args, f));
    t.put("min", (v, args, f) -> extreme(v, args.expect("min", "case_sensitive", "attribute"), -1));
    t.put("max", (v, args, f) -> extreme(v, args.expect("max", "case_sensitive", "attribute"), 1));
    t.put("sum", SequenceFilters::sum);
    t.put("map", SequenceFilters::map);
    t.put("select", (v, args, f) -> filter(v, f, test(args)));
    t.put("reject", (v, args, f) -> filter(v, f, test(args).negate()));
    t.put("selectattr", (v, args, f) -> filter(v, f, attributeTest(args)));
    t.put("rejectattr", (v, args, f) -> filter(v, f, attributeTest(args).negate()));
    return t;
  }

  private static Object first(Object v) {
    if (v instanceof Once once) {
      Object next = once.next();
      return next == null ? new Undefined("the first item of an empty sequence") : next;
    }
    List<Object> items = Py.iterate(v);
    return items.isEmpty() ? new Undefined("the first item of an empty sequence") : items.get(0);
  }

  private static Object last(Object v) {
    if (v instanceof Once) {
      throw new TemplateError("a generator has no last item; use |list|last");
    }
    List<Object> items = Py.iterate(v);
    return items.isEmpty()
        ? new Undefined("the last item of an empty sequence")
        : items.get(items.size() - 1);
  }

  private static Object join(Object v, Args args, Frame f) {
    args.expect("join", "d", "attribute");
    String by = Py.str(args.get(0, "d", ""));
    Object attribute = args.get(1, "attribute", None.NONE);
    StringBuilder out = new StringBuilder();
    String separator = "";
    for (Object item : Py.iterate(v)) {
      String text = Py.str(attribute == None.NONE ? item : path(item, attribute));
      f.budget().grow(out.length(), (long) separator.length() + text.length());
      out.append(separator).append(text);
      separator = by;
    }
    return out.toString();
  }

  private static Object items(Object v) {
    if (v instanceof Undefined) {
      return new Once(List.of());
    }
    if (v instanceof Map<?, ?> m) {
      return new Once(Methods.items(m));
    }
    throw new TemplateError("filter 'items' needs a mapping, not " + Py.type(v));
  }

  private static Object dictSort(Object v, Args args) {
    args.expect("dictsort", "case_sensitive", "by", "reverse");
    if (!(v instanceof Map<?, ?> m)) {
      throw new TemplateError("filter 'dictsort' needs a mapping, not " + Py.type(v));
    }
    String by = Py.text(args.get(1, "by", "key"), "'by'");
    if (!by.equals("key") && !by.equals("value")) {
      throw new TemplateError("dictsort: 'by' must be 'key' or 'value', not '" + by + "'");
    }
    int at = by.equals("key") ? 0 : 1;
    UnaryOperator<Object> fold = fold(Py.truth(args.get(0, "case_sensitive", false)));
    List<Object> out = Methods.items(m);
    sortBy(out, x -> fold.apply(((Tuple) x).items().get(at)), args.get(2, "reverse", false));
    return out;
  }

  private static UnaryOperator<Object> fold(boolean caseSensitive) {
    return x -> !caseSensitive && x instanceof String s ? PyText.lower(s) : x;
  }

  private static void sortBy(List<Object> items, UnaryOperator<Object> key, Object reverse) {
    Comparator<Object> order = (a, b) -> Py.order(key.apply(a), key.apply(b));
    items.sort(Py.truth(reverse) ? order.reversed() : order);
  }

  private static Object reverse(Object v) {
    if (v instanceof String s) {
      return new StringBuilder(s).reverse().toString();
    }
    List<Object> items = new ArrayList<>(Py.iterate(v));
    Collections.reverse(items);
    return new Once(items);
  }

  private static Object sort(Object v, Args args, Frame f) {
    args.expect("sort", "reverse", "case_sensitive", "attribute");
    List<Object> items = new ArrayList<>(Py.iterate(v));
    f.budget().charge(8L * items.size());
    UnaryOperator<Object> key =
        key(args.get(1, "case_sensitive", false), args.get(2, "attribute", None.NONE));
    sortBy(items, key, args.get(0, "reverse", false));
    return items;
  }

  private static UnaryOperator<Object> key(Object caseSensitive, Object attribute) {
    UnaryOperator<Object> fold = fold(Py.truth(caseSensitive));
    if (attribute != None.NONE && attribute instanceof String s && s.indexOf(',') >= 0) {
      throw new TemplateError("unsupported: several sort attributes '" + s + "'");
    }
    return attribute == None.NONE ? fold : x -> fold.apply(path(x, attribute));
  }

  private static Object unique(Object v, Args args, Frame f) {
    args.expect("unique", "case_sensitive", "attribute");
    UnaryOperator<Object> key =
        key(args.get(0, "case_sensitive", false), args.get(1, "attribute", None.NONE));
    List<Object> seen = new ArrayList<>();
    List<Object> out = new ArrayList<>();
    for (Object item : Py.iterate(v)) {
      Object k = key.apply(item);
      f.budget().charge(1 + seen.size());
      if (seen.stream().noneMatch(x -> Py.equal(x, k))) {
        seen.add(k);
        out.add(item);
      }
    }
    return new Once(out);
  }

  private static Object extreme(Object v, Args args, int sign) {
    UnaryOperator<Object> key =
        key(args.get(0, "case_sensitive", false), args.get(1, "attribute", None.NONE));
    Object best = null;
    for (Object item : Py.iterate(v)) {
      if (best == null || Py.order(key.apply(item), key.apply(best)) * sign > 0) {
        best = item;
      }
    }
    return best == null ? new Undefined("the extreme of an empty sequence") : best;
  }

  private static Object sum(Object v, Args args, Frame f) {
    args.expect("sum", "attribute", "start");
    Object attribute = args.get(0, "attribute", None.NONE);
    Object total = args.get(1, "start", 0L);
    for (Object item : Py.iterate(v)) {
      Object x = attribute == None.NONE ? item : path(item, attribute);
      total = PyMath.binary("+", total, x, f.budget());
    }
    return total;
  }

  private static Object map(Object v, Args args, Frame f) {
    List<Object> out = new ArrayList<>();
    Object attribute = args.positional().isEmpty() ? args.named().get("attribute") : null;
    if (attribute != null) {
      args.expect("map", "attribute", "default");
      Object otherwise = args.named().get("default");
      for (Object item : items(v, f)) {
        Object x = path(item, attribute);
        out.add(x instanceof Undefined && otherwise != null ? otherwise : x);
      }
    } else {
      String name = Py.text(args.required("map", 0, "filter"), "the filter's name");
      Args rest = args.dropFirst();
      for (Object item : items(v, f)) {
        f.budget().charge(1 + Py.sizeHint(item));
        out.add(Filters.apply(name, f, item, rest));
      }
    }
    return new Once(f.budget().list(out));
  }

  /**
   * What select, reject and map walk over: Jinja lets None and other false values pass as empty.
   */
  private static List<Object> items(Object v, Frame f) {
    return Py.truth(v) ? f.budget().list(Py.iterate(v)) : List.of();
  }

  private static Object filter(Object v, Frame f, Predicate<Object> keep) {
    List<Object> all = items(v, f);
    List<Object> out = new ArrayList<>();
    for (Object item : all) {
      if (keep.test(item)) {
        out.add(item);
      }
    }
    return new Once(out);
  }

  private static Predicate<Object> test(Args args) {
    if (args.positional().isEmpty()) {
      return Py::truth;
    }
    String name = Py.text(args.positional().get(0), "the test's name");
    Args rest = args.dropFirst();
    return x -> Tests.apply(name, x, rest);
  }

  private static Predicate<Object> attributeTest(Args args) {
    Object attribute = args.required("selectattr", 0, "attribute");
    Predicate<Object> test = test(args.dropFirst());
    return x -> test.test(path(x, attribute));
  }

  /** The item that a dotted path such as {@code function.name} leads to. */
  private static Object path(Object item, Object attribute) {
    if (attribute instanceof Long) {
      return Access.item(item, attribute);
    }
    Object value = item;
    for (String part : Py.text(attribute, "the attribute").split("\\.", -1)) {
      boolean index = part.matches("\\d{1,9}");
      value = Access.item(value, index ? (Object) Long.valueOf(part) : part);
    }
    return value;
  }
}
