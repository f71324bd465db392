package io.topv.engine.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a template gets beside the messages.
 *
 * @param addGenerationPrompt whether the text ends where the assistant begins to speak
 * @param specialTokens texts by name, such as bos_token and eos_token
 * @param imageToken stands for one image where a template takes plain strings, e.g. "&lt;image>"
 * @param tools JSON schemas of functions that the model may call; empty for none
 * @param extra further variables; they win over special tokens of the same name
 */
public record ChatContext(
    boolean addGenerationPrompt,
    Map<String, String> specialTokens,
    String imageToken,
    List<Map<String, Object>> tools,
    Map<String, Object> extra) {

  /** The usual case: one answer wanted, no tools. */
  public static ChatContext forAnswer(Map<String, String> specialTokens, String imageToken) {
    return new ChatContext(true, specialTokens, imageToken, List.of(), Map.of());
  }

  /** All variables of the template but the messages, as transformers passes them. */
  Map<String, Object> variables() {
    Map<String, Object> out = new LinkedHashMap<>(specialTokens);
    out.put("tools", tools.isEmpty() ? null : tools);
    out.put("documents", null);
    out.put("add_generation_prompt", addGenerationPrompt);
    out.putAll(extra);
    return out;
  }
}
