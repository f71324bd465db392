package io.topv.engine.tokenizer;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads the JSON files of a tokenizer, with limits and errors that name the file. */
final class TokenizerFiles {
  static final JsonMapper JSON =
      new JsonMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder()
                      .maxNestingDepth(100)
                      .maxStringLength(8 << 20)
                      .build())
              .build());
  private static final long MAX_FILE = 256L << 20;

  private TokenizerFiles() {}

  /** The object in {@code file}; empty where there is no such file. */
  static Optional<ObjectNode> object(Path file) {
    return Files.exists(file) ? Optional.of(parse(text(file), file)) : Optional.empty();
  }

  static String text(Path file) {
    try {
      long size = Files.size(file);
      if (size > MAX_FILE) {
        throw new TopvException(file + ": " + size + " bytes; at most " + MAX_FILE);
      }
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new TopvException(file + ": no such file", e);
    } catch (CharacterCodingException e) {
      throw new TopvException(file + ": not valid UTF-8", e);
    } catch (IOException e) {
      throw new TopvException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  static ObjectNode parse(String text, Path file) {
    try {
      if (JSON.readTree(text) instanceof ObjectNode object) {
        return object;
      }
    } catch (JacksonException e) {
      throw new TopvException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
    }
    throw new TopvException(file + ": expected a JSON object");
  }

  /**
   * Adds the tokens that only tokenizer_config.json declares (added_tokens_decoder), as
   * transformers does when it loads the two together.
   *
   * @return whether there were any
   */
  static boolean mergeAddedTokens(ObjectNode tokenizer, ObjectNode config) {
    JsonNode declared = config.path("added_tokens_decoder");
    JsonNode present = tokenizer.path("added_tokens");
    ArrayNode tokens =
        present instanceof ArrayNode array ? array : tokenizer.putArray("added_tokens");
    Map<Integer, JsonNode> missing = new TreeMap<>();
    for (Map.Entry<String, JsonNode> e : declared.properties()) {
      String content = e.getValue().path("content").asString("");
      boolean known = false;
      for (JsonNode token : tokens) {
        known |= token.path("content").asString("").equals(content);
      }
      if (!known && !content.isEmpty() && e.getKey().matches("\\d{1,9}")) {
        missing.put(Integer.valueOf(e.getKey()), e.getValue());
      }
    }
    missing.forEach(
        (id, token) -> {
          ObjectNode added = tokens.addObject().put("id", id);
          added.put("content", token.get("content").asString());
          for (String flag : new String[] {"single_word", "lstrip", "rstrip"}) {
            added.put(flag, token.path(flag).asBoolean(false));
          }
          boolean special = token.path("special").asBoolean(false);
          added.put("normalized", token.path("normalized").asBoolean(!special));
          added.put("special", special);
        });
    return !missing.isEmpty();
  }
}
