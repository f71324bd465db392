package io.topv.engine.tokenizer;

import io.topv.engine.TopvException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** Tokens and ids of a tokenizer.json: the model's own and the added ones. */
final class Vocabulary {
  private static final int MAX_ID = 10_000_000;
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-F]{2}>");

  private final Map<String, Integer> ids = new HashMap<>();
  private final String[] tokens;
  private final BitSet special = new BitSet();
  private final BitSet bytes = new BitSet();

  private Vocabulary(int size) {
    tokens = new String[size];
  }

  static Vocabulary of(JsonNode tokenizer, Path file) {
    Map<String, Integer> all = new HashMap<>();
    JsonNode vocab = tokenizer.path("model").path("vocab");
    if (vocab.isObject()) {
      vocab.properties().forEach(e -> all.put(e.getKey(), id(e.getValue(), file, e.getKey())));
    } else if (vocab.isArray()) {
      for (JsonNode piece : vocab) {
        all.put(piece.path(0).asString(""), all.size());
      }
    } else {
      throw new TopvException(file + ": field model.vocab is missing");
    }
    JsonNode added = tokenizer.path("added_tokens");
    for (JsonNode token : added) {
      String content = token.path("content").asString("");
      all.put(content, id(token.path("id"), file, content));
    }
    Vocabulary out = new Vocabulary(1 + all.values().stream().max(Integer::compare).orElse(-1));
    boolean byteFallback = tokenizer.path("decoder").toString().contains("\"ByteFallback\"");
    all.forEach(
        (token, id) -> {
          out.ids.put(token, id);
          out.tokens[id] = token;
          out.bytes.set(id, byteFallback && BYTE.matcher(token).matches());
        });
    for (JsonNode token : added) {
      if (token.path("special").asBoolean(false)) {
        out.special.set(token.get("id").asInt());
      }
    }
    return out;
  }

  private static int id(JsonNode value, Path file, String token) {
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.asInt() < 0
        || value.asInt() > MAX_ID) {
      throw new TopvException(
          file + ": token \"" + token + "\" has the id " + value + "; expected 0 to " + MAX_ID);
    }
    return value.asInt();
  }

  int size() {
    return tokens.length;
  }

  OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  Optional<String> token(int id) {
    return id < 0 || id >= tokens.length ? Optional.empty() : Optional.ofNullable(tokens[id]);
  }

  boolean isSpecial(int id) {
    return special.get(id);
  }

  /** Whether the token stands for one byte of a character that the vocabulary lacks. */
  boolean isByte(int id) {
    return bytes.get(id);
  }
}
