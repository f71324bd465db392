package io.topv.engine.template;

/** One piece of a chat message. */
public sealed interface ContentPart {
  /** A piece of text. */
  record Text(String text) implements ContentPart {}

  /** The place of an image; the images themselves travel beside the messages, in order. */
  record Image() implements ContentPart {}

  static ContentPart text(String text) {
    return new Text(text);
  }

  static ContentPart image() {
    return new Image();
  }
}
