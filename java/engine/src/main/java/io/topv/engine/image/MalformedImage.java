package io.topv.engine.image;

/** A decoder's verdict; {@link Images} adds the name of the file. */
final class MalformedImage extends Exception {
  private static final long serialVersionUID = 1L;

  MalformedImage(String message) {
    super(message);
  }
}
