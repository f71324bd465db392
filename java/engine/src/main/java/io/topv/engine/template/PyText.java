package io.topv.engine.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Text as Python sees it: whitespace, code points, escapes, and the repr of strings and floats. */
final class PyText {
  private PyText() {}

  /** Python's str.isspace for one character. */
  static boolean isSpace(int c) {
    return (c >= 0x09 && c <= 0x0d)
        || (c >= 0x1c && c <= 0x20)
        || c == 0x85
        || c == 0xa0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202f
        || c == 0x205f
        || c == 0x3000;
  }

  static String lstrip(String s) {
    int i = 0;
    while (i < s.length() && isSpace(s.charAt(i))) {
      i++;
    }
    return s.substring(i);
  }

  static String rstrip(String s) {
    int end = s.length();
    while (end > 0 && isSpace(s.charAt(end - 1))) {
      end--;
    }
    return s.substring(0, end);
  }

  static String strip(String s) {
    return lstrip(rstrip(s));
  }

  /** Strips the given characters instead of whitespace. */
  static String strip(String s, String chars, boolean left, boolean right) {
    int start = 0;
    int end = s.length();
    while (left && start < end && chars.indexOf(s.codePointAt(start)) >= 0) {
      start += Character.charCount(s.codePointAt(start));
    }
    while (right && end > start && chars.indexOf(s.codePointBefore(end)) >= 0) {
      end -= Character.charCount(s.codePointBefore(end));
    }
    return s.substring(start, end);
  }

  static int length(String s) {
    return s.codePointCount(0, s.length());
  }

  /** Code points start (inclusive) to end (exclusive), both in 0..length. */
  static String slice(String s, int start, int end) {
    int from = s.offsetByCodePoints(0, start);
    return s.substring(from, s.offsetByCodePoints(from, end - start));
  }

  static List<Object> characters(String s) {
    List<Object> out = new ArrayList<>(s.length());
    s.codePoints().forEach(c -> out.add(Character.toString(c)));
    return out;
  }

  static String upper(String s) {
    return s.toUpperCase(Locale.ROOT);
  }

  static String lower(String s) {
    return s.toLowerCase(Locale.ROOT);
  }

  /** First letter in title case, the rest in lower case, as str.capitalize. */
  static String capitalize(String s) {
    if (s.isEmpty()) {
      return s;
    }
    int first = s.codePointAt(0);
    String rest = s.substring(Character.charCount(first));
    return titleCase(first) + lower(rest);
  }

  /** Every run of letters capitalized, as str.title. */
  static String title(String s) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int c : s.codePoints().toArray()) {
      boolean cased = Character.isLetter(c) && (isCased(c));
      out.append(cased && !inWord ? titleCase(c) : lower(Character.toString(c)));
      inWord = cased;
    }
    return out.toString();
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  private static String titleCase(int c) {
    int title = Character.toTitleCase(c);
    if (title != c) {
      return Character.toString(title);
    }
    String upper = upper(Character.toString(c));
    return upper.length() > 1 && !Character.isTitleCase(c) ? capitalizeExpansion(upper) : upper;
  }

  private static String capitalizeExpansion(String upper) {
    int first = upper.codePointAt(0);
    int n = Character.charCount(first);
    return upper.substring(0, n) + lower(upper.substring(n));
  }

  /** Orders by code point, as Python does (UTF-16 order differs beyond the BMP). */
  static int compare(String a, String b) {
    int n = Math.min(a.length(), b.length());
    for (int i = 0; i < n; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean bothSame = Character.isSurrogate(x) == Character.isSurrogate(y);
        return bothSame ? Character.compare(x, y) : Character.isSurrogate(x) ? 1 : -1;
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** Python's repr of a string. */
  static String repr(String s) {
    char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder().append(quote);
    s.codePoints().forEach(c -> reprChar(c, quote, out));
    return out.append(quote).toString();
  }

  private static void reprChar(int c, char quote, StringBuilder out) {
    if (c == quote || c == '\\') {
      out.append('\\').append((char) c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\r') {
      out.append("\\r");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (isPrintable(c)) {
      out.appendCodePoint(c);
    } else {
      String form = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
      out.append(String.format(form, c));
    }
  }

  static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** Python's repr of a float: the shortest digits that read back as the same value. */
  static String repr(double d) {
    if (Double.isNaN(d)) {
      return "nan";
    }
    if (Double.isInfinite(d)) {
      return d > 0 ? "inf" : "-inf";
    }
    if (d == 0) {
      return 1 / d < 0 ? "-0.0" : "0.0";
    }
    String sign = d < 0 ? "-" : "";
    String scientific = shortest(Math.abs(d));
    int e = scientific.indexOf('e');
    String digits = scientific.substring(0, e).replace(".", "");
    int exponent = Integer.parseInt(scientific.substring(e + 1));
    if (exponent < -4 || exponent >= 16) {
      String tail = digits.length() > 1 ? "." + digits.substring(1) : "";
      String exp = String.format("e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
      return sign + digits.charAt(0) + tail + exp;
    }
    String plain =
        new BigDecimal(digits).movePointLeft(digits.length() - 1 - exponent).toPlainString();
    return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
  }

  private static String shortest(double d) {
    for (int precision = 0; precision < 17; precision++) {
      String s = String.format(Locale.ROOT, "%." + precision + "e", new BigDecimal(d));
      if (Double.parseDouble(s) == d) {
        return s;
      }
    }
    throw new AssertionError("17 digits determine a double");
  }

  /** The value of a string literal's body, as Python's unicode-escape codec reads it. */
  static String unescape(String body, int line) {
    if (body.indexOf('\\') < 0) {
      return body;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < body.length(); i++) {
      char c = body.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char k = body.charAt(++i);
      int simple = "\\'\"abfnrtv".indexOf(k);
      if (simple >= 0) {
        out.append("\\'\"\u0007\b\f\n\r\t\u000b".charAt(simple));
      } else if (k == '\n') {
        continue;
      } else if (k >= '0' && k <= '7') {
        int end = i + 1;
        while (end < body.length() && end < i + 3 && "01234567".indexOf(body.charAt(end)) >= 0) {
          end++;
        }
        out.append((char) Integer.parseInt(body.substring(i, end), 8));
        i = end - 1;
      } else if (k == 'x' || k == 'u' || k == 'U') {
        int digits = k == 'x' ? 2 : k == 'u' ? 4 : 8;
        out.appendCodePoint(hex(body, i + 1, digits, line));
        i += digits;
      } else if (k == 'N' || k > 126) {
        throw new TemplateError("unsupported string escape \\" + k, line);
      } else {
        out.append('\\').append(k);
      }
    }
    return out.toString();
  }

  private static int hex(String body, int from, int digits, int line) {
    int to = Math.min(body.length(), from + digits);
    String text = body.substring(from, to);
    if (text.length() < digits || !text.matches("[0-9a-fA-F]+")) {
      throw new TemplateError("truncated string escape \\" + body.charAt(from - 1) + text, line);
    }
    long value = Long.parseLong(text, 16);
    if (value > Character.MAX_CODE_POINT) {
      throw new TemplateError("string escape beyond Unicode: " + text, line);
    }
    return (int) value;
  }

  /** At most 60 characters on one line, for error messages. */
  static String abbreviate(String s) {
    String line = s.replace("\n", "\\n").replace("\r", "\\r");
    return line.length() <= 60 ? line : line.substring(0, 57) + "...";
  }
}
