package io.topv.engine.template;

import io.topv.engine.TopvException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a template wants the content of a message.
 *
 * <p>Templates of vision models walk over a list of parts; those of text models print a string. A
 * template does not say which, so {@link #ofUser} renders a marked message both ways and looks for
 * the mark.
 */
public enum ContentFormat {
  /**
   * One string. Images become image tokens, each with a newline, before the text; several texts are
   * joined with newlines (as vLLM does).
   */
  STRING,
  /** A list of {"type": "text", "text": ...} and {"type": "image"}. */
  PARTS;

  private static final String MARK = "topvprobe";

  /** What the template wants of a user. */
  static ContentFormat ofUser(ChatTemplate template) {
    boolean string = !probe(template, List.of(user(MARK))).isEmpty();
    String parts = probe(template, List.of(user(List.of(text(MARK)))));
    String withImage = probe(template, List.of(user(List.of(Map.of("type", "image"), text(MARK)))));
    boolean rendersImages = !withImage.isEmpty() && !withImage.equals(parts);
    return !parts.isEmpty() && (rendersImages || !string) ? PARTS : STRING;
  }

  /** What it wants of all others, given what it wants of a user; some templates differ. */
  static ContentFormat ofOthers(ChatTemplate template, ContentFormat user) {
    if (user == STRING) {
      return STRING;
    }
    Map<String, Object> question = user(List.of(text("?")));
    Map<String, Object> parts = Map.of("role", "assistant", "content", List.of(text(MARK)));
    Map<String, Object> string = Map.of("role", "assistant", "content", MARK);
    boolean onlyString =
        probe(template, List.of(question, parts)).isEmpty()
            && !probe(template, List.of(question, string)).isEmpty();
    return onlyString ? STRING : PARTS;
  }

  private static Map<String, Object> user(Object content) {
    return Map.of("role", "user", "content", content);
  }

  private static Map<String, Object> text(String text) {
    return Map.of("type", "text", "text", text);
  }

  /** The rendering of a conversation; empty where the mark does not come out as it should. */
  private static String probe(ChatTemplate template, List<Map<String, Object>> messages) {
    Map<String, Object> variables = new LinkedHashMap<>();
    variables.put("messages", messages);
    variables.put("tools", null);
    variables.put("documents", null);
    variables.put("add_generation_prompt", true);
    variables.put("bos_token", "");
    variables.put("eos_token", "");
    try {
      String out = template.render(variables);
      // A list printed as Python or JSON shows its keys.
      boolean dumped = out.contains("'text'") || out.contains("\"text\"");
      return out.contains(MARK) && !dumped ? out : "";
    } catch (TopvException e) {
      return "";
    }
  }

  /** The message as the dictionary that a template reads. */
  Map<String, Object> message(ChatMessage message, String imageToken) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("role", message.role());
    out.put("content", this == PARTS ? parts(message) : string(message, imageToken));
    return out;
  }

  private static List<Object> parts(ChatMessage message) {
    List<Object> out = new ArrayList<>();
    for (ContentPart part : message.content()) {
      Map<String, Object> item = new LinkedHashMap<>();
      item.put("type", part instanceof ContentPart.Text ? "text" : "image");
      if (part instanceof ContentPart.Text text) {
        item.put("text", text.text());
      }
      out.add(item);
    }
    return out;
  }

  private static String string(ChatMessage message, String imageToken) {
    List<String> pieces = new ArrayList<>();
    for (long i = message.imageCount(); i > 0; i--) {
      pieces.add(imageToken);
    }
    for (ContentPart part : message.content()) {
      if (part instanceof ContentPart.Text text) {
        pieces.add(text.text());
      }
    }
    return String.join("\n", pieces);
  }
}
