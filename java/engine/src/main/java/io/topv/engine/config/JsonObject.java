package io.topv.engine.config;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A JSON object that knows its file and its place in it, so that every error names both. A member
 * that is absent and one that is null are the same, as they are for transformers.
 */
public final class JsonObject {
  private static final long MAX_FILE_BYTES = 64L << 20;
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(64)
                          .maxNumberLength(64)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final String file;
  private final String path;
  private final JsonNode node;

  private JsonObject(String file, String path, JsonNode node) {
    this.file = file;
    this.path = path;
    this.node = node;
  }

  /** Reads a file of at most 64 MiB. */
  public static JsonObject read(Path file) {
    try {
      long size = Files.size(file);
      if (size > MAX_FILE_BYTES) {
        throw new TopvException(
            file + ": " + size + " bytes; expected a JSON file of at most " + MAX_FILE_BYTES);
      }
      return parse(file.toString(), Files.readAllBytes(file));
    } catch (IOException e) {
      throw new TopvException(file + ": cannot be read (" + Text.oneLine(e.toString()) + ")", e);
    }
  }

  /** Parses UTF-8 text that must be one JSON object; {@code file} is what errors call it. */
  public static JsonObject parse(String file, byte[] json) {
    JsonNode root;
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
      root = MAPPER.readTree(text);
    } catch (CharacterCodingException e) {
      throw new TopvException(file + ": not UTF-8", e);
    } catch (JacksonException e) {
      throw new TopvException(
          file + ": not valid JSON: " + Text.oneLine(e.getOriginalMessage()), e);
    }
    if (!root.isObject()) {
      throw new TopvException(file + ": expected a JSON object, found " + Text.value(root));
    }
    return new JsonObject(file, "", root);
  }

  public String file() {
    return file;
  }

  public boolean has(String name) {
    return node.hasNonNull(name);
  }

  /** True also where the member is null: for the fields whose default is not "none". */
  public boolean mentions(String name) {
    return node.has(name);
  }

  /** The names of the members that are present and not null. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    for (Map.Entry<String, JsonNode> member : node.properties()) {
      if (!member.getValue().isNull()) {
        names.add(member.getKey());
      }
    }
    return names;
  }

  public boolean isObject(String name) {
    return has(name) && node.get(name).isObject();
  }

  public Optional<JsonObject> object(String name) {
    if (!has(name)) {
      return Optional.empty();
    }
    JsonNode value = node.get(name);
    if (!value.isObject()) {
      throw expected(name, "an object");
    }
    return Optional.of(new JsonObject(file, path + name + ".", value));
  }

  /** A string member that is not empty. */
  public Optional<String> text(String name) {
    if (!has(name)) {
      return Optional.empty();
    }
    JsonNode value = node.get(name);
    if (!value.isString() || value.stringValue().isEmpty()) {
      throw expected(name, "a string");
    }
    return Optional.of(value.stringValue());
  }

  /** A list of strings; empty when absent. */
  public List<String> texts(String name) {
    if (!has(name)) {
      return List.of();
    }
    JsonNode value = node.get(name);
    if (!value.isArray()) {
      throw expected(name, "a list of strings");
    }
    List<String> list = new ArrayList<>();
    for (JsonNode element : value) {
      if (!element.isString()) {
        throw expected(name, "a list of strings");
      }
      list.add(element.stringValue());
    }
    return list;
  }

  public boolean bool(String name, boolean fallback) {
    if (!has(name)) {
      return fallback;
    }
    JsonNode value = node.get(name);
    if (!value.isBoolean()) {
      throw expected(name, "true or false");
    }
    return value.booleanValue();
  }

  public OptionalInt integer(String name, int min, int max) {
    return has(name)
        ? OptionalInt.of(integer(node.get(name), name, min, max))
        : OptionalInt.empty();
  }

  public int integer(String name, int fallback, int min, int max) {
    return integer(name, min, max).orElse(fallback);
  }

  public OptionalLong longInteger(String name, long min, long max) {
    if (!has(name)) {
      return OptionalLong.empty();
    }
    JsonNode value = node.get(name);
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.longValue() < min
        || value.longValue() > max) {
      throw expected(name, "an integer from " + min + " to " + max);
    }
    return OptionalLong.of(value.longValue());
  }

  /** An integer, or a list of integers that is not empty; empty when absent. */
  public List<Integer> integers(String name, int min, int max) {
    if (!has(name)) {
      return List.of();
    }
    JsonNode value = node.get(name);
    if (!value.isArray()) {
      return List.of(integer(value, name, min, max));
    }
    if (value.isEmpty()) {
      throw expected(name, "an integer or a list of integers");
    }
    List<Integer> list = new ArrayList<>();
    for (int i = 0; i < value.size(); i++) {
      list.add(integer(value.get(i), name + "[" + i + "]", min, max));
    }
    return List.copyOf(list);
  }

  /** A finite number (or its absence) from min to max. */
  public double number(String name, double fallback, double min, double max) {
    if (!has(name)) {
      return fallback;
    }
    JsonNode value = node.get(name);
    double number = value.isNumber() ? value.doubleValue() : Double.NaN;
    if (!(number >= min && number <= max)) {
      throw expected(name, "a number from " + min + " to " + max);
    }
    return number;
  }

  /** A list of finite numbers, or one number as a list of one; empty when absent. */
  public List<Double> numbers(String name) {
    if (!has(name)) {
      return List.of();
    }
    JsonNode value = node.get(name);
    List<Double> list = new ArrayList<>();
    for (JsonNode element : value.isArray() ? value : List.of(value)) {
      double number = element.isNumber() ? element.doubleValue() : Double.NaN;
      if (!Double.isFinite(number)) {
        throw expected(name, "a number or a list of numbers");
      }
      list.add(number);
    }
    return List.copyOf(list);
  }

  /** The members as strings, for an object whose values are all strings. */
  public Map<String, String> strings() {
    Map<String, String> map = new TreeMap<>();
    for (Map.Entry<String, JsonNode> member : node.properties()) {
      if (!member.getValue().isString()) {
        throw expected(member.getKey(), "a string");
      }
      map.put(member.getKey(), member.getValue().stringValue());
    }
    return map;
  }

  /** The member's value as text for a message, shortened; "null" when absent. */
  public String shown(String name) {
    return has(name) ? Text.value(node.get(name)) : "null";
  }

  /** "FILE: path.name = value; expected WHAT". */
  public TopvException expected(String name, String what) {
    return error(name, shown(name), "; expected " + what);
  }

  /** "FILE: path.name = value WHY". */
  public TopvException refused(String name, String why) {
    return error(name, shown(name), " " + why);
  }

  private TopvException error(String name, String value, String tail) {
    return new TopvException(file + ": " + Text.oneLine(path + name) + " = " + value + tail);
  }

  private int integer(JsonNode value, String name, int min, int max) {
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < min
        || value.intValue() > max) {
      throw error(name, Text.value(value), "; expected an integer from " + min + " to " + max);
    }
    return value.intValue();
  }
}
