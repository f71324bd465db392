package io.topv.engine.template;

import io.topv.engine.template.Token.Kind;
import java.util.List;

/** A cursor over tokens, with one token of lookahead. */
final class TokenStream {
  private final List<Token> tokens;
  private int at;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  Token look() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  /** The current token; the cursor moves on, but never past the end. */
  Token next() {
    Token t = current();
    if (at < tokens.size() - 1) {
      at++;
    }
    return t;
  }

  boolean skipOperator(String operator) {
    boolean match = current().isOperator(operator);
    if (match) {
      next();
    }
    return match;
  }

  boolean skipName(String name) {
    boolean match = current().isName(name);
    if (match) {
      next();
    }
    return match;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw error("expected '" + operator + "', not " + current().describe());
    }
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw error("expected '" + name + "', not " + current().describe());
    }
  }

  Token expectKind(Kind kind, String what) {
    if (current().kind() != kind) {
      throw error("expected " + what + ", not " + current().describe());
    }
    return next();
  }

  TemplateError error(String message) {
    return new TemplateError(message, current().line());
  }
}
