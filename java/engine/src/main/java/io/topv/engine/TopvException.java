package io.topv.engine;

/**
 * Something from outside is wrong. The message is one line that names the file, field and value.
 */
public final class TopvException extends RuntimeException {
  public TopvException(String message) {
    super(message);
  }

  public TopvException(String message, Throwable cause) {
    super(message, cause);
  }
}
