package io.topv.engine.template;

import java.util.ArrayList;
import java.util.List;

/**
 * One turn of a conversation.
 *
 * @param role "system", "user" or "assistant", or what the template knows beside these
 * @param content text and images in the order in which they are meant
 */
public record ChatMessage(String role, List<ContentPart> content) {
  public ChatMessage {
    content = List.copyOf(content);
  }

  public static ChatMessage of(String role, String text) {
    return new ChatMessage(role, List.of(ContentPart.text(text)));
  }

  /** What a user says about {@code images} images that come before the text. */
  public static ChatMessage user(String text, int images) {
    List<ContentPart> parts = new ArrayList<>();
    for (int i = 0; i < images; i++) {
      parts.add(ContentPart.image());
    }
    parts.add(ContentPart.text(text));
    return new ChatMessage("user", parts);
  }

  public long imageCount() {
    return content.stream().filter(ContentPart.Image.class::isInstance).count();
  }
}
