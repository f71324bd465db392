package io.topv.engine.config;

import tools.jackson.databind.JsonNode;

/** Words of strangers, made fit for a one-line message. */
public final class Text {
  private static final int MAX_LENGTH = 120;

  private Text() {}

  public static String oneLine(String words) {
    StringBuilder line = new StringBuilder();
    int end = Math.min(words.length(), MAX_LENGTH);
    for (int i = 0; i < end; i++) {
      char c = words.charAt(i);
      line.append(Character.isISOControl(c) || c == '\u2028' || c == '\u2029' ? ' ' : c);
    }
    return words.length() > MAX_LENGTH ? line + "..." : line.toString();
  }

  static String value(JsonNode node) {
    if (node.isObject()) {
      return "{object}";
    }
    if (node.isArray()) {
      return "[list of " + node.size() + "]";
    }
    return oneLine(node.toString());
  }
}
