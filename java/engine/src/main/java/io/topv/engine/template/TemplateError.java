package io.topv.engine.template;

/**
 * A failure inside the template engine, before it knows where it happened: the innermost statement
 * adds the line, {@link ChatTemplate} adds the file and turns it into a TopvException.
 */
final class TemplateError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int line;

  TemplateError(String message) {
    this(message, 0);
  }

  TemplateError(String message, int line) {
    super(message, null, false, false);
    this.line = line;
  }

  /** Line in the template, from 1; 0 where it is not known yet. */
  int line() {
    return line;
  }

  TemplateError at(int where) {
    return line > 0 ? this : new TemplateError(getMessage(), where);
  }
}
