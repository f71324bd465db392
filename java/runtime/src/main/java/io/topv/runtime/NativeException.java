package io.topv.runtime;

/**
 * A native call was refused or failed. The message names the operation, the field and the value.
 */
public final class NativeException extends RuntimeException {
  private final Status status;

  public NativeException(Status status, String message) {
    super(message);
    this.status = status;
  }

  public Status status() {
    return status;
  }
}
