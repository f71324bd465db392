package io.topv.engine.template;

import io.topv.engine.template.Methods.Body;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/** The methods of Python's str. */
final class StringMethods {
  private StringMethods() {}

  static Map<String, Body> table() {
    Map<String, Body> t = new HashMap<>();
    t.put("strip", (self, args, f) -> strip(self, args, true, true));
    t.put("lstrip", (self, args, f) -> strip(self, args, true, false));
    t.put("rstrip", (self, args, f) -> strip(self, args, false, true));
    simple(t, "upper", PyText::upper);
    simple(t, "lower", PyText::lower);
    simple(t, "title", PyText::title);
    simple(t, "capitalize", PyText::capitalize);
    t.put("startswith", (self, args, f) -> affix(self, args, true));
    t.put("endswith", (self, args, f) -> affix(self, args, false));
    t.put("removeprefix", (self, args, f) -> removeAffix(self, args, true));
    t.put("removesuffix", (self, args, f) -> removeAffix(self, args, false));
    t.put("replace", StringMethods::replace);
    t.put("split", (self, args, f) -> split(self, args, false));
    t.put("rsplit", (self, args, f) -> split(self, args, true));
    t.put("splitlines", (self, args, f) -> lines(str(self), args));
    t.put("partition", (self, args, f) -> partition(self, args, false));
    t.put("rpartition", (self, args, f) -> partition(self, args, true));
    t.put("join", (self, args, f) -> join(str(self), args, f));
    t.put("find", (self, args, f) -> (long) find(self, args, "find"));
    t.put("rfind", (self, args, f) -> (long) rfind(self, args));
    t.put("index", (self, args, f) -> index(self, args));
    t.put("count", (self, args, f) -> count(self, args));
    t.put("format", (self, args, f) -> f.budget().text(PyFormat.braces(str(self), args)));
    predicate(t, "isspace", PyText::isSpace);
    predicate(t, "isalpha", Character::isLetter);
    predicate(t, "isdigit", Character::isDigit);
    t.put("isupper", (self, args, f) -> cased(str(self), true));
    t.put("islower", (self, args, f) -> cased(str(self), false));
    return Map.copyOf(t);
  }

  private static String str(Object self) {
    return (String) self;
  }

  private static void simple(Map<String, Body> t, String name, UnaryOperator<String> op) {
    t.put(
        name,
        (self, args, f) -> {
          args.expect("str." + name);
          return op.apply(str(self));
        });
  }

  private static void predicate(Map<String, Body> t, String name, IntPredicate p) {
    t.put(
        name,
        (self, args, f) -> {
          args.expect("str." + name);
          return !str(self).isEmpty() && str(self).codePoints().allMatch(p);
        });
  }

  private static boolean cased(String s, boolean upper) {
    boolean some = false;
    for (int c : s.codePoints().toArray()) {
      if (Character.isTitleCase(c)
          || (upper ? Character.isLowerCase(c) : Character.isUpperCase(c))) {
        return false;
      }
      some |= upper ? Character.isUpperCase(c) : Character.isLowerCase(c);
    }
    return some;
  }

  private static String text(Args args, int i, String callee) {
    Object value = args.required(callee, i, "argument " + (i + 1));
    return Py.text(value, "argument " + (i + 1) + " of " + callee);
  }

  private static Object strip(Object self, Args args, boolean left, boolean right) {
    args.expect("str.strip", "chars");
    Object chars = args.get(0, "chars", None.NONE);
    if (chars == None.NONE) {
      String s = left ? PyText.lstrip(str(self)) : str(self);
      return right ? PyText.rstrip(s) : s;
    }
    return PyText.strip(str(self), Py.text(chars, "the argument of strip"), left, right);
  }

  private static Object affix(Object self, Args args, boolean start) {
    String callee = start ? "str.startswith" : "str.endswith";
    args.expect(callee, "prefix");
    Object given = args.required(callee, 0, "prefix");
    List<Object> options = given instanceof Tuple t ? t.items() : List.of(given);
    for (Object option : options) {
      String affix = Py.text(option, "the argument of " + callee);
      if (start ? str(self).startsWith(affix) : str(self).endsWith(affix)) {
        return true;
      }
    }
    return false;
  }

  private static Object removeAffix(Object self, Args args, boolean start) {
    String s = str(self);
    String affix = text(args.expect("str.removeprefix", "affix"), 0, "str.removeprefix");
    if (start) {
      return s.startsWith(affix) ? s.substring(affix.length()) : s;
    }
    return s.endsWith(affix) ? s.substring(0, s.length() - affix.length()) : s;
  }

  private static Object replace(Object self, Args args, Frame f) {
    args.expect("str.replace", "old", "new", "count");
    String old = Py.text(args.required("str.replace", 0, "old"), "'old'");
    String fresh = Py.text(args.required("str.replace", 1, "new"), "'new'");
    return replace(str(self), old, fresh, Py.integer(args.get(2, "count", -1L), "'count'"), f);
  }

  /** At most {@code count} replacements from the left; all of them where it is negative. */
  static String replace(String s, String old, String fresh, long count, Frame f) {
    long left = count < 0 ? Long.MAX_VALUE : count;
    StringBuilder out = new StringBuilder();
    int at = 0;
    while (left-- > 0) {
      int hit = old.isEmpty() ? at : s.indexOf(old, at);
      if (hit < 0) {
        break;
      }
      f.budget().grow(out.length(), (long) hit - at + fresh.length());
      out.append(s, at, hit).append(fresh);
      at = hit + old.length();
      if (old.isEmpty()) {
        if (hit == s.length()) {
          return out.toString();
        }
        int next = hit + Character.charCount(s.codePointAt(hit));
        out.append(s, hit, next);
        at = next;
      }
    }
    return out.append(s, at, s.length()).toString();
  }

  private static Object split(Object self, Args args, boolean fromRight) {
    args.expect("str.split", "sep", "maxsplit");
    Object sep = args.get(0, "sep", None.NONE);
    long max = Py.integer(args.get(1, "maxsplit", -1L), "'maxsplit'");
    long limit = max < 0 ? Long.MAX_VALUE : max;
    if (sep == None.NONE) {
      return fromRight ? rsplitSpace(str(self), limit) : splitSpace(str(self), limit);
    }
    String by = Py.text(sep, "the separator of split");
    if (by.isEmpty()) {
      throw new TemplateError("empty separator");
    }
    return fromRight ? rsplit(str(self), by, limit) : splitBy(str(self), by, limit);
  }

  private static List<Object> splitBy(String s, String by, long limit) {
    List<Object> out = new ArrayList<>();
    int at = 0;
    for (int hit = s.indexOf(by); hit >= 0 && out.size() < limit; hit = s.indexOf(by, at)) {
      out.add(s.substring(at, hit));
      at = hit + by.length();
    }
    out.add(s.substring(at));
    return out;
  }

  private static List<Object> rsplit(String s, String by, long limit) {
    List<Object> out = new ArrayList<>();
    int end = s.length();
    while (out.size() < limit) {
      int hit = end < by.length() ? -1 : s.lastIndexOf(by, end - by.length());
      if (hit < 0) {
        break;
      }
      out.add(0, s.substring(hit + by.length(), end));
      end = hit;
    }
    out.add(0, s.substring(0, end));
    return out;
  }

  private static List<Object> splitSpace(String s, long limit) {
    List<Object> out = new ArrayList<>();
    String rest = PyText.lstrip(s);
    int start = 0;
    for (int i = 0; i < rest.length(); i++) {
      if (out.size() == limit) {
        break;
      }
      if (PyText.isSpace(rest.charAt(i))) {
        out.add(rest.substring(start, i));
        while (i < rest.length() && PyText.isSpace(rest.charAt(i))) {
          i++;
        }
        start = i--;
      }
    }
    if (start < rest.length()) {
      // With maxsplit reached Python keeps the tail as it is; otherwise it has no spaces left.
      out.add(rest.substring(start));
    }
    return out;
  }

  private static List<Object> rsplitSpace(String s, long limit) {
    List<Object> out = new ArrayList<>();
    String rest = PyText.rstrip(s);
    while (!rest.isEmpty()) {
      int start = rest.length();
      while (out.size() < limit && start > 0 && !PyText.isSpace(rest.charAt(start - 1))) {
        start--;
      }
      if (out.size() == limit) {
        out.add(0, rest);
        break;
      }
      out.add(0, rest.substring(start));
      rest = PyText.rstrip(rest.substring(0, start));
    }
    return out;
  }

  private static List<Object> lines(String s, Args args) {
    args.expect("str.splitlines", "keepends");
    return lines(s, Py.truth(args.get(0, "keepends", false)));
  }

  /** Python's str.splitlines. */
  static List<Object> lines(String s, boolean keep) {
    List<Object> out = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if ((c >= '\n' && c <= '\r')
          || (c >= 0x1c && c <= 0x1e)
          || c == 0x85
          || c == 0x2028
          || c == 0x2029) {
        int next = c == '\r' && i + 1 < s.length() && s.charAt(i + 1) == '\n' ? i + 2 : i + 1;
        out.add(s.substring(start, keep ? next : i));
        start = next;
        i = next - 1;
      }
    }
    if (start < s.length()) {
      out.add(s.substring(start));
    }
    return out;
  }

  private static Object partition(Object self, Args args, boolean fromRight) {
    String s = str(self);
    String by = text(args.expect("str.partition", "sep"), 0, "str.partition");
    if (by.isEmpty()) {
      throw new TemplateError("empty separator");
    }
    int hit = fromRight ? s.lastIndexOf(by) : s.indexOf(by);
    if (hit < 0) {
      return new Tuple(fromRight ? List.of("", "", s) : List.of(s, "", ""));
    }
    return new Tuple(List.of(s.substring(0, hit), by, s.substring(hit + by.length())));
  }

  private static Object join(String by, Args args, Frame f) {
    StringBuilder out = new StringBuilder();
    String separator = "";
    for (Object item :
        Py.iterate(args.expect("str.join", "items").required("str.join", 0, "items"))) {
      String text = Py.text(item, "an item of str.join");
      f.budget().grow(out.length(), (long) separator.length() + text.length());
      out.append(separator).append(text);
      separator = by;
    }
    return out.toString();
  }

  private static int find(Object self, Args args, String name) {
    String s = str(self);
    args.expect("str." + name, "sub", "start");
    String sub = Py.text(args.required("str." + name, 0, "sub"), "'sub'");
    long n = PyText.length(s);
    long start = Py.integer(args.get(1, "start", 0L), "'start'");
    long from = start < 0 ? Math.max(0, start + n) : start;
    if (from > n) {
      return -1;
    }
    int hit = s.indexOf(sub, s.offsetByCodePoints(0, (int) from));
    return hit < 0 ? -1 : s.codePointCount(0, hit);
  }

  private static int rfind(Object self, Args args) {
    String s = str(self);
    int hit = s.lastIndexOf(text(args.expect("str.rfind", "sub"), 0, "str.rfind"));
    return hit < 0 ? -1 : s.codePointCount(0, hit);
  }

  private static Object index(Object self, Args args) {
    int hit = find(self, args, "index");
    if (hit < 0) {
      throw new TemplateError("substring not found");
    }
    return (long) hit;
  }

  private static Object count(Object self, Args args) {
    String s = str(self);
    String sub = text(args.expect("str.count", "sub"), 0, "str.count");
    if (sub.isEmpty()) {
      return PyText.length(s) + 1L;
    }
    return splitBy(s, sub, Long.MAX_VALUE).size() - 1L;
  }
}
