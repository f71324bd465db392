package io.topv.engine.template;

/**
 * One lexeme of a template.
 *
 * @param kind what it is
 * @param text the source text; for {@link Kind#STRING} the unescaped value, for {@link Kind#DATA}
 *     the literal output
 * @param line line where it starts, from 1
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    DATA,
    VARIABLE_BEGIN,
    VARIABLE_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    EOF
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  boolean isOperator(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  /** The token as an error message shows it. */
  String describe() {
    return switch (kind) {
      case EOF -> "end of template";
      case VARIABLE_END -> "'}}'";
      case BLOCK_END -> "'%}'";
      case STRING -> "string '" + PyText.abbreviate(text) + "'";
      default -> "'" + PyText.abbreviate(text) + "'";
    };
  }
}
