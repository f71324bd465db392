package io.topv.engine.template;

import io.topv.engine.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template into tokens, with the whitespace rules that transformers gives Jinja:
 * trim_blocks, lstrip_blocks, and no kept trailing newline.
 */
final class Lexer {
  // Python's \s on text, which is wider than Java's.
  private static final String SPACE =
      "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
  private static final Pattern RAW_BEGIN =
      Pattern.compile("\\{%[-+]?" + SPACE + "*+raw" + SPACE + "*+(?:-%\\}" + SPACE + "*+|%\\})");
  private static final Pattern RAW_END =
      Pattern.compile(
          "\\{%([-+]?)"
              + SPACE
              + "*+endraw"
              + SPACE
              + "*+(?:\\+%\\}|-%\\}"
              + SPACE
              + "*+|%\\}\\n?)");
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?<!\\.)\\d++(?:_\\d++)*+"
              + "(?:(?:\\.\\d++(?:_\\d++)*+)?[eE][+-]?\\d++(?:_\\d++)*+|\\.\\d++(?:_\\d++)*+)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[\\da-fA-F])++"
              + "|[1-9](?:_?\\d)*+|0(?:_?0)*+");
  private static final List<String> LONG_OPERATORS = List.of("**", "//", "==", "!=", ">=", "<=");
  private static final String OPERATORS = "+-/*%~[](){}><=.:|,;";

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int pos;
  private int line = 1;
  private boolean lineStarting = true;

  private Lexer(String source) {
    this.source = source;
  }

  /** The tokens of {@code source}, the last one being {@link Kind#EOF}. */
  static List<Token> tokenize(String source) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    if (text.endsWith("\n")) {
      text = text.substring(0, text.length() - 1);
    }
    Lexer lexer = new Lexer(text);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (pos < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.substring(pos));
        pos = source.length();
        break;
      }
      String text = source.substring(pos, tag);
      char type = source.charAt(tag + 1);
      char sign = sign(tag + 2);
      data(stripBefore(text, sign, type != '{'));
      line += countNewlines(text);
      pos = tag;
      if (type == '#') {
        comment();
      } else if (type == '%' && !raw()) {
        tag(Kind.BLOCK_BEGIN, Kind.BLOCK_END, '%', sign);
      } else if (type == '{') {
        tag(Kind.VARIABLE_BEGIN, Kind.VARIABLE_END, '}', sign);
      }
    }
    tokens.add(new Token(Kind.EOF, "", line));
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      tokens.add(new Token(Kind.DATA, text, line));
    }
  }

  private int nextTag() {
    for (int i = source.indexOf('{', pos); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private char sign(int at) {
    char c = at < source.length() ? source.charAt(at) : 0;
    return c == '-' || c == '+' ? c : 0;
  }

  /** The text before a tag after "-" (strip all) or lstrip_blocks (strip the tag's indent). */
  private String stripBefore(String text, char sign, boolean block) {
    if (sign == '-') {
      return PyText.rstrip(text);
    }
    if (sign == '+' || !block) {
      return text;
    }
    int lineStart = text.lastIndexOf('\n') + 1;
    boolean startsLine = lineStart > 0 || lineStarting;
    return startsLine && PyText.strip(text.substring(lineStart)).isEmpty()
        ? text.substring(0, lineStart)
        : text;
  }

  private void comment() {
    int open = pos + 2 + (sign(pos + 2) == 0 ? 0 : 1);
    int close = source.indexOf("#}", open);
    if (close < 0) {
      throw new TemplateError("missing end of comment", line);
    }
    char sign = close > open ? source.charAt(close - 1) : 0;
    advance(afterTag(close + 2, sign, true));
  }

  private boolean raw() {
    Matcher begin = RAW_BEGIN.matcher(source).region(pos, source.length());
    if (!begin.lookingAt()) {
      return false;
    }
    advance(begin.end());
    Matcher end = RAW_END.matcher(source);
    if (!end.find(pos)) {
      throw new TemplateError("missing {% endraw %}", line);
    }
    String text = source.substring(pos, end.start());
    char sign = end.group(1).isEmpty() ? 0 : end.group(1).charAt(0);
    data(stripBefore(text, sign, true));
    advance(end.end());
    return true;
  }

  /** Where text goes on after a closing tag that ends at {@code end}. */
  private int afterTag(int end, char sign, boolean trimNewline) {
    int next = end;
    if (sign == '-') {
      while (next < source.length() && PyText.isSpace(source.charAt(next))) {
        next++;
      }
    } else if (sign != '+' && trimNewline && next < source.length()) {
      next += source.charAt(next) == '\n' ? 1 : 0;
    }
    return next;
  }

  private void advance(int to) {
    line += countNewlines(source.substring(pos, to));
    lineStarting = to > pos && source.charAt(to - 1) == '\n';
    pos = to;
  }

  private void tag(Kind begin, Kind end, char closer, char sign) {
    tokens.add(new Token(begin, "", line));
    int first = line;
    advance(pos + 2 + (sign == 0 ? 0 : 1));
    Deque<Character> open = new ArrayDeque<>();
    while (pos < source.length()) {
      if (open.isEmpty() && closes(end, closer)) {
        return;
      }
      if (PyText.isSpace(source.charAt(pos))) {
        advance(pos + 1);
      } else {
        lexeme(open);
      }
    }
    String what = begin == Kind.BLOCK_BEGIN ? "'{%'" : "'{{'";
    throw new TemplateError("missing end of " + what + " that starts here", first);
  }

  private boolean closes(Kind end, char closer) {
    boolean block = end == Kind.BLOCK_END;
    char c = source.charAt(pos);
    char sign = c == '-' || (block && c == '+') ? c : 0;
    int at = pos + (sign == 0 ? 0 : 1);
    if (!source.startsWith(closer + "}", at)) {
      return false;
    }
    tokens.add(new Token(end, "", line));
    advance(afterTag(at + 2, sign, block));
    return true;
  }

  private void lexeme(Deque<Character> open) {
    char c = source.charAt(pos);
    if (c == '\'' || c == '"') {
      string(c);
    } else if (c >= '0' && c <= '9') {
      number();
    } else if (c == '_' || Character.isUnicodeIdentifierStart(source.codePointAt(pos))) {
      int end = pos;
      while (end < source.length() && isNamePart(source.codePointAt(end))) {
        end += Character.charCount(source.codePointAt(end));
      }
      emit(Kind.NAME, end);
    } else {
      operator(c, open);
    }
  }

  private static boolean isNamePart(int c) {
    return c == '_'
        || (Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
  }

  private void string(char quote) {
    int end = pos + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw new TemplateError("string without closing " + quote, line);
    }
    String value = PyText.unescape(source.substring(pos + 1, end), line);
    tokens.add(new Token(Kind.STRING, value, line));
    advance(end + 1);
  }

  private void number() {
    Matcher m = FLOAT.matcher(source).region(pos, source.length()).useTransparentBounds(true);
    if (m.lookingAt()) {
      emit(Kind.FLOAT, m.end());
      return;
    }
    m = INTEGER.matcher(source).region(pos, source.length());
    if (!m.lookingAt()) {
      throw new TemplateError("malformed number", line);
    }
    emit(Kind.INTEGER, m.end());
  }

  private void operator(char c, Deque<Character> open) {
    for (String operator : LONG_OPERATORS) {
      if (source.startsWith(operator, pos)) {
        emit(Kind.OPERATOR, pos + 2);
        return;
      }
    }
    if (OPERATORS.indexOf(c) < 0) {
      String shown = new String(Character.toChars(source.codePointAt(pos)));
      throw new TemplateError("unexpected character " + PyText.repr(shown), line);
    }
    switch (c) {
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '{' -> open.push('}');
      case ')', ']', '}' -> {
        if (open.isEmpty() || open.pop() != c) {
          throw new TemplateError("unexpected '" + c + "'", line);
        }
      }
      default -> {}
    }
    emit(Kind.OPERATOR, pos + 1);
  }

  private void emit(Kind kind, int end) {
    tokens.add(new Token(kind, source.substring(pos, end), line));
    advance(end);
  }

  private static int countNewlines(String text) {
    return (int) text.chars().filter(c -> c == '\n').count();
  }
}
