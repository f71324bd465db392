package io.topv.engine;

/** Bad input. The message is one line that names the file, the field and the value. */
public final class TopvException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TopvException(String message) {
    super(message);
  }

  public TopvException(String message, Throwable cause) {
    super(message, cause);
  }
}
