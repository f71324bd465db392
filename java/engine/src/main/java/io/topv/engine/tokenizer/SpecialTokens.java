package io.topv.engine.tokenizer;

import io.topv.engine.TopvException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Special tokens by role, as tokenizer_config.json (and special_tokens_map.json, for what the
 * former leaves out) names them.
 *
 * @param byName texts by field name, such as bos_token; a chat template gets them all
 */
public record SpecialTokens(Map<String, String> byName) {
  public SpecialTokens {
    byName = Map.copyOf(byName);
  }

  /** Fields that end in _token; each a text, null, or an object with the text in "content". */
  static void read(JsonNode config, Path file, Map<String, String> into) {
    for (Map.Entry<String, JsonNode> e : config.properties()) {
      JsonNode value = e.getValue();
      if (!e.getKey().endsWith("_token") || value.isNull() || value.isBoolean()) {
        continue;
      }
      JsonNode text = value.isObject() ? value.path("content") : value;
      if (!text.isString()) {
        throw new TopvException(
            file + ": field " + e.getKey() + " is " + value + "; expected a token's text");
      }
      into.putIfAbsent(e.getKey(), text.asString());
    }
  }

  static SpecialTokens of(Map<String, String> byName) {
    return new SpecialTokens(new LinkedHashMap<>(byName));
  }

  public Optional<String> bos() {
    return get("bos_token");
  }

  public Optional<String> eos() {
    return get("eos_token");
  }

  public Optional<String> unk() {
    return get("unk_token");
  }

  public Optional<String> pad() {
    return get("pad_token");
  }

  /** The token that stands for an image, where the tokenizer names one. */
  public Optional<String> image() {
    return get("image_token");
  }

  /** The token in the role of this field name, such as "sep_token". */
  public Optional<String> get(String name) {
    return Optional.ofNullable(byName.get(name));
  }
}
