package io.topv.engine.template;

import io.topv.engine.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Parses expressions, with Jinja's precedences. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final int MAX_DEPTH = 100;

  private final TokenStream in;
  private int depth;

  ExpressionParser(TokenStream in) {
    this.in = in;
  }

  Expr expression() {
    if (++depth > MAX_DEPTH) {
      throw in.error("expression nested more than " + MAX_DEPTH + " deep");
    }
    Expr value = condition();
    depth--;
    return value;
  }

  /** An expression, or several with commas, which make a tuple. */
  Expr tuple(boolean withCondition, boolean parenthesized) {
    List<Expr> items = new ArrayList<>();
    boolean comma = false;
    while (!atTupleEnd()) {
      items.add(withCondition ? expression() : or());
      if (!in.skipOperator(",")) {
        break;
      }
      comma = true;
    }
    if (items.isEmpty() && !parenthesized) {
      throw in.error("expected an expression, not " + in.current().describe());
    }
    return comma || items.isEmpty() ? new Expr.TupleOf(items) : items.get(0);
  }

  private boolean atTupleEnd() {
    Token t = in.current();
    return t.kind() == Kind.VARIABLE_END || t.kind() == Kind.BLOCK_END || t.isOperator(")");
  }

  private Expr condition() {
    Expr value = or();
    while (in.skipName("if")) {
      Expr test = or();
      Optional<Expr> otherwise = Optional.empty();
      if (in.skipName("else")) {
        otherwise = Optional.of(expression());
      }
      value = new Expr.Condition(test, value, otherwise);
    }
    return value;
  }

  /** An expression without an inline if. */
  Expr or() {
    Expr left = and();
    while (in.skipName("or")) {
      left = new Expr.Or(left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (in.skipName("and")) {
      left = new Expr.And(left, not());
    }
    return left;
  }

  private Expr not() {
    int negations = 0;
    while (in.skipName("not")) {
      negations++;
    }
    Expr value = comparison();
    if (negations == 0) {
      return value;
    }
    Expr negated = new Expr.Not(value);
    return negations % 2 == 1 ? negated : new Expr.Not(negated);
  }

  private Expr comparison() {
    Expr first = sum();
    List<Expr.Comparison> rest = new ArrayList<>();
    while (true) {
      Token t = in.current();
      if (t.kind() == Kind.OPERATOR && COMPARISONS.contains(t.text())) {
        in.next();
        rest.add(new Expr.Comparison(t.text(), sum()));
      } else if (in.skipName("in")) {
        rest.add(new Expr.Comparison("in", sum()));
      } else if (t.isName("not") && in.look().isName("in")) {
        in.next();
        in.next();
        rest.add(new Expr.Comparison("not in", sum()));
      } else {
        return rest.isEmpty() ? first : new Expr.Compare(first, rest);
      }
    }
  }

  private Expr sum() {
    Expr left = concat();
    while (in.current().isOperator("+") || in.current().isOperator("-")) {
      left = new Expr.Binary(in.next().text(), left, concat());
    }
    return left;
  }

  private Expr concat() {
    Expr first = product();
    if (!in.current().isOperator("~")) {
      return first;
    }
    List<Expr> parts = new ArrayList<>(List.of(first));
    while (in.skipOperator("~")) {
      parts.add(product());
    }
    return new Expr.Concat(parts);
  }

  private Expr product() {
    Expr left = power();
    while (in.current().kind() == Kind.OPERATOR
        && List.of("*", "/", "//", "%").contains(in.current().text())) {
      left = new Expr.Binary(in.next().text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = unary(true);
    while (in.skipOperator("**")) {
      left = new Expr.Binary("**", left, unary(true));
    }
    return left;
  }

  private Expr unary(boolean withFilters) {
    Expr value;
    if (in.current().isOperator("-") || in.current().isOperator("+")) {
      if (++depth > MAX_DEPTH) {
        throw in.error("expression nested more than " + MAX_DEPTH + " deep");
      }
      value = new Expr.Unary(in.next().text(), unary(false));
      depth--;
    } else {
      value = primary();
    }
    value = postfix(value);
    return withFilters ? filters(value) : value;
  }

  private Expr primary() {
    Token t = in.current();
    switch (t.kind()) {
      case NAME -> {
        in.next();
        return switch (t.text()) {
          case "true", "True" -> new Expr.Const(true);
          case "false", "False" -> new Expr.Const(false);
          case "none", "None" -> new Expr.Const(None.NONE);
          default -> new Expr.Name(t.text());
        };
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (in.current().kind() == Kind.STRING) {
          text.append(in.next().text());
        }
        return new Expr.Const(text.toString());
      }
      case INTEGER, FLOAT -> {
        in.next();
        return new Expr.Const(number(t));
      }
      default -> {
        if (in.skipOperator("(")) {
          if (++depth > MAX_DEPTH) {
            throw in.error("expression nested more than " + MAX_DEPTH + " deep");
          }
          Expr value = tuple(true, true);
          depth--;
          in.expectOperator(")");
          return value;
        } else if (t.isOperator("[")) {
          return list();
        } else if (t.isOperator("{")) {
          return dictionary();
        }
        throw in.error("unexpected " + t.describe());
      }
    }
  }

  private Object number(Token t) {
    String digits = t.text().replace("_", "");
    try {
      if (t.kind() == Kind.FLOAT) {
        return Double.parseDouble(digits);
      }
      String lower = digits.toLowerCase(java.util.Locale.ROOT);
      int radix = lower.startsWith("0x") ? 16 : lower.startsWith("0o") ? 8 : 10;
      radix = lower.startsWith("0b") ? 2 : radix;
      return Long.parseLong(radix == 10 ? lower : lower.substring(2), radix);
    } catch (NumberFormatException e) {
      throw in.error("unsupported: an integer beyond 64 bits");
    }
  }

  private Expr list() {
    in.expectOperator("[");
    List<Expr> items = new ArrayList<>();
    while (!in.current().isOperator("]")) {
      items.add(expression());
      if (!in.skipOperator(",")) {
        break;
      }
    }
    in.expectOperator("]");
    return new Expr.ListOf(items);
  }

  private Expr dictionary() {
    in.expectOperator("{");
    List<Expr.Pair> pairs = new ArrayList<>();
    while (!in.current().isOperator("}")) {
      Expr key = expression();
      in.expectOperator(":");
      pairs.add(new Expr.Pair(key, expression()));
      if (!in.skipOperator(",")) {
        break;
      }
    }
    in.expectOperator("}");
    return new Expr.DictOf(pairs);
  }

  private Expr postfix(Expr start) {
    Expr value = start;
    while (true) {
      if (in.skipOperator(".")) {
        Token t = in.next();
        if (t.kind() == Kind.NAME) {
          value = new Expr.Attribute(value, t.text());
        } else if (t.kind() == Kind.INTEGER) {
          value = new Expr.Item(value, new Expr.Const(number(t)));
        } else {
          throw in.error("expected a name or number after '.', not " + t.describe());
        }
      } else if (in.current().isOperator("[")) {
        value = subscript(value);
      } else if (in.current().isOperator("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr subscript(Expr target) {
    in.expectOperator("[");
    Optional<Expr> start = Optional.empty();
    if (!in.current().isOperator(":")) {
      Expr index = expression();
      if (in.skipOperator("]")) {
        return new Expr.Item(target, index);
      }
      start = Optional.of(index);
    }
    in.expectOperator(":");
    Optional<Expr> stop = sliceBound();
    Optional<Expr> step = in.skipOperator(":") ? sliceBound() : Optional.empty();
    in.expectOperator("]");
    return new Expr.Slice(target, start, stop, step);
  }

  private Optional<Expr> sliceBound() {
    boolean absent = in.current().isOperator(":") || in.current().isOperator("]");
    return absent ? Optional.empty() : Optional.of(expression());
  }

  Expr.Arguments arguments() {
    in.expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    while (!in.current().isOperator(")")) {
      if (in.current().isOperator("*") || in.current().isOperator("**")) {
        throw in.error("unsupported: * and ** in a call");
      }
      if (in.current().kind() == Kind.NAME && in.look().isOperator("=")) {
        String name = in.next().text();
        in.next();
        if (named.put(name, expression()) != null) {
          throw in.error("argument '" + name + "' is given twice");
        }
      } else if (!named.isEmpty()) {
        throw in.error("positional argument after a named one");
      } else {
        positional.add(expression());
      }
      if (!in.skipOperator(",")) {
        break;
      }
    }
    in.expectOperator(")");
    return new Expr.Arguments(positional, named);
  }

  private Expr filters(Expr start) {
    Expr value = start;
    while (true) {
      if (in.skipOperator("|")) {
        value = filter(Optional.of(value));
      } else if (in.skipName("is")) {
        value = test(value);
      } else if (in.current().isOperator("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  /** The filter after a "|". */
  Expr.Filter filter(Optional<Expr> input) {
    String name = in.expectKind(Kind.NAME, "a filter name").text();
    if (in.current().isOperator(".")) {
      throw in.error("unsupported: filter name with '.'");
    }
    return new Expr.Filter(input, name, optionalArguments());
  }

  private Expr.Arguments optionalArguments() {
    return in.current().isOperator("(") ? arguments() : new Expr.Arguments(List.of(), Map.of());
  }

  private Expr test(Expr input) {
    boolean negated = in.skipName("not");
    String name = in.expectKind(Kind.NAME, "a test name").text();
    Expr test = new Expr.Test(input, name, testArguments());
    return negated ? new Expr.Not(test) : test;
  }

  /** A test's argument may follow without parentheses: {@code x is sameas y}. */
  private Expr.Arguments testArguments() {
    Token t = in.current();
    boolean starts =
        switch (t.kind()) {
          case STRING, INTEGER, FLOAT -> true;
          case NAME -> !Set.of("else", "or", "and", "is").contains(t.text());
          default -> t.isOperator("[") || t.isOperator("{");
        };
    if (!starts) {
      return optionalArguments();
    }
    return new Expr.Arguments(List.of(postfix(primary())), Map.of());
  }
}
