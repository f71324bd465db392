package io.topv.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Jinja's attribute and item access, and Python's slices. */
final class Access {
  private Access() {}

  /** {@code target.name}: a method or attribute first, then the item of that name. */
  static Object attribute(Object target, String name) {
    if (target instanceof Undefined u) {
      throw u.error();
    }
    if (name.startsWith("__")) {
      throw new TemplateError("unsupported: access to '" + name + "'");
    }
    Object attribute = ownAttribute(target, name);
    return attribute != null ? attribute : lookup(target, name);
  }

  /** {@code target[index]}: the item first; a text index may name an attribute instead. */
  static Object item(Object target, Object index) {
    if (target instanceof Undefined u) {
      throw u.error();
    }
    if (index instanceof String name) {
      Object item = lookup(target, name);
      if (!(item instanceof Undefined)) {
        return item;
      }
      Object attribute = name.startsWith("__") ? null : ownAttribute(target, name);
      return attribute != null ? attribute : item;
    }
    return lookup(target, index);
  }

  private static Object ownAttribute(Object target, String name) {
    if (target instanceof Namespace ns) {
      return ns.attributes().get(name);
    } else if (target instanceof Loop loop) {
      return loop.attribute(name);
    } else if (target instanceof Macro macro && name.equals("name")) {
      return macro.name();
    }
    return Methods.find(target, name).orElse(null);
  }

  private static Object lookup(Object target, Object index) {
    if (target instanceof Map<?, ?> m) {
      Object value =
          index instanceof String || index instanceof Long || index instanceof None
              ? m.get(index)
              : null;
      if (value != null) {
        return value;
      }
    } else if (target instanceof Markup) {
      throw new TemplateError("unsupported: an item of text marked as HTML");
    } else if (index instanceof Long || index instanceof Boolean) {
      long i = Py.integer(index, "an index");
      boolean indexed =
          target instanceof List
              || target instanceof Tuple
              || target instanceof String
              || (target instanceof View v && v.isRange());
      int n = indexed ? Py.length(target) : 0;
      long at = i < 0 ? i + n : i;
      if (at >= 0 && at < n) {
        return target instanceof String s
            ? PyText.slice(s, (int) at, (int) at + 1)
            : items(target).get((int) at);
      }
    }
    return new Undefined("'" + Py.type(target) + "' value's " + describe(index));
  }

  private static String describe(Object index) {
    boolean simple = index instanceof String || Py.isNumber(index);
    return "element " + (simple ? PyText.abbreviate(Py.repr(index)) : Py.type(index));
  }

  private static List<Object> items(Object target) {
    if (target instanceof List<?> l) {
      @SuppressWarnings("unchecked")
      List<Object> list = (List<Object>) l;
      return list;
    }
    return target instanceof Tuple t ? t.items() : ((View) target).items();
  }

  /** {@code target[start:stop:step]}; None stands for a bound left out. */
  static Object slice(Object target, Object start, Object stop, Object step) {
    if (target instanceof Undefined u) {
      throw u.error();
    }
    boolean text = target instanceof String;
    boolean unsliceable =
        target instanceof None
            || target instanceof Map
            || target instanceof Once
            || Py.isNumber(target);
    if (unsliceable) {
      throw new TemplateError("cannot slice a value of type " + Py.type(target));
    }
    if (!text && !(target instanceof List) && !(target instanceof Tuple)) {
      throw new TemplateError("unsupported: a slice of " + Py.type(target));
    }
    List<Object> all = text ? PyText.characters((String) target) : items(target);
    List<Object> picked = pick(all, start, stop, step);
    if (text) {
      StringBuilder out = new StringBuilder();
      picked.forEach(c -> out.append((String) c));
      return out.toString();
    }
    return target instanceof Tuple ? new Tuple(picked) : picked;
  }

  private static List<Object> pick(List<Object> all, Object start, Object stop, Object step) {
    long by = step == None.NONE ? 1 : Py.integer(step, "a slice step");
    if (by == 0) {
      throw new TemplateError("slice step cannot be zero");
    }
    int n = all.size();
    long from = bound(start, n, by, by > 0 ? 0 : n - 1);
    long to = bound(stop, n, by, by > 0 ? n : -1);
    List<Object> out = new ArrayList<>();
    // by is clamped so that the sum cannot overflow; one stride past the end is enough.
    long stride = Math.max(-n - 1L, Math.min(n + 1L, by));
    for (long i = from; by > 0 ? i < to : i > to; i += stride) {
      out.add(all.get((int) i));
    }
    return out;
  }

  private static long bound(Object v, int n, long by, long otherwise) {
    if (v == None.NONE) {
      return otherwise;
    }
    long i = Py.integer(v, "a slice bound");
    if (i < 0) {
      i = Math.max(i, -n - 1L) + n;
      return Math.max(i, by > 0 ? 0 : -1);
    }
    return Math.min(i, by > 0 ? n : n - 1);
  }
}
