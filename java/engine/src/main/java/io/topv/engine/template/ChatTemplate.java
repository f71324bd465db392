package io.topv.engine.template;

import io.topv.engine.TopvException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A chat template in the part of Jinja that Hugging Face templates use, rendered as transformers
 * renders it. Immutable and thread-safe.
 *
 * <p>What the engine does not know (a tag, filter, test or method) is a {@link TopvException} that
 * names template and line, never a wrong text. A rendering has limits on time and size, so that
 * templates from strangers are safe to run: they see the given variables and nothing else.
 */
public final class ChatTemplate {
  private static final int MAX_SOURCE = 1 << 20;

  private final String origin;
  private final List<Stmt> body;
  private final Limits limits;
  private final Clock clock;
  private final ContentFormat userFormat;
  private final ContentFormat othersFormat;

  private ChatTemplate(String origin, List<Stmt> body, Limits limits, Clock clock) {
    this.origin = origin;
    this.body = body;
    this.limits = limits;
    this.clock = clock;
    this.userFormat = ContentFormat.ofUser(this);
    this.othersFormat = ContentFormat.ofOthers(this, userFormat);
  }

  /**
   * Reads a template.
   *
   * @param origin the file it comes from, for messages
   * @throws TopvException where the source is no template, or uses an unsupported tag
   */
  public static ChatTemplate parse(String source, String origin) {
    return parse(source, origin, Clock.systemDefaultZone());
  }

  /** As {@link #parse(String, String)}; {@code clock} is what strftime_now reads. */
  public static ChatTemplate parse(String source, String origin, Clock clock) {
    return parse(source, origin, clock, Limits.DEFAULT);
  }

  static ChatTemplate parse(String source, String origin, Clock clock, Limits limits) {
    if (source.length() > MAX_SOURCE) {
      throw new TopvException(
          origin + ": template of " + source.length() + " characters; at most " + MAX_SOURCE);
    }
    try {
      return new ChatTemplate(origin, Parser.parse(source), limits, clock);
    } catch (TemplateError e) {
      throw located(origin, e);
    } catch (StackOverflowError e) {
      throw new TopvException(origin + ": template nests too deeply");
    }
  }

  /** The file that the template comes from. */
  public String origin() {
    return origin;
  }

  /** How the template wants the content of a user's messages. */
  public ContentFormat contentFormat() {
    return userFormat;
  }

  /** The prompt for a conversation. */
  public String render(List<ChatMessage> messages, ChatContext context) {
    List<Object> list = new ArrayList<>();
    for (ChatMessage message : messages) {
      ContentFormat format = message.role().equals("user") ? userFormat : othersFormat;
      list.add(format.message(message, context.imageToken()));
    }
    Map<String, Object> variables = context.variables();
    variables.put("messages", list);
    return render(variables);
  }

  /**
   * Renders with the variables given and no others.
   *
   * @param variables null, String, Boolean, integral and floating Number, List and Map (of String
   *     keys) of these
   */
  public String render(Map<String, ?> variables) {
    try {
      Map<String, Object> values = new LinkedHashMap<>();
      variables.forEach((name, value) -> values.put(name, Convert.value(value)));
      Frame frame = new Frame(values, new Budget(limits), clock).inner();
      Stmt.run(body, frame);
      return frame.output();
    } catch (TemplateError e) {
      throw located(origin, e);
    } catch (StackOverflowError e) {
      throw new TopvException(origin + ": template or its data nest too deeply");
    }
  }

  private static TopvException located(String origin, TemplateError e) {
    String line = e.line() > 0 ? ":" + e.line() : "";
    String message = e.getMessage().replace("\n", "\\n").replace("\r", "\\r");
    return new TopvException(origin + line + ": " + message);
  }
}
