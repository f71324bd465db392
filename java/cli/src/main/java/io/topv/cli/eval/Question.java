package io.topv.cli.eval;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A question with its answer.
 *
 * @param index line of its file, from 0
 * @param type color, shape, count, position, existence, reading, or any other
 */
public record Question(int index, Path image, String question, String answer, String type) {
  private static final JsonMapper JSON = new JsonMapper();

  /**
   * Reads a JSONL file; images are named from the file's directory.
   *
   * @throws TopvException naming file, line and field
   */
  public static List<Question> read(Path file) {
    List<Question> questions = new ArrayList<>();
    try {
      List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
      for (int i = 0; i < lines.size(); i++) {
        if (!lines.get(i).isBlank()) {
          questions.add(parse(file, i, lines.get(i)));
        }
      }
    } catch (NoSuchFileException e) {
      throw new TopvException(file + ": no such file", e);
    } catch (IOException e) {
      throw new TopvException(file + ": cannot be read: " + e.getMessage(), e);
    }
    if (questions.isEmpty()) {
      throw new TopvException(file + ": holds no question");
    }
    return questions;
  }

  private static Question parse(Path file, int index, String line) {
    String where = file + ": line " + (index + 1);
    JsonNode json;
    try {
      json = JSON.readTree(line);
    } catch (JacksonException e) {
      throw new TopvException(where + ": is not JSON: " + e.getOriginalMessage(), e);
    }
    return new Question(
        index,
        file.resolveSibling(field(json, "image", where)),
        field(json, "question", where),
        field(json, "answer", where),
        field(json, "type", where));
  }

  private static String field(JsonNode json, String name, String where) {
    JsonNode value = json.get(name);
    if (value == null || !value.isString()) {
      throw new TopvException(where + ": " + name + " = " + value + " is not a string");
    }
    return value.stringValue();
  }

  /** Exact match, spaces around and case aside. */
  public boolean isAnsweredBy(String text) {
    return fold(text).equals(fold(answer));
  }

  private static String fold(String text) {
    return text.strip().toLowerCase(Locale.ROOT);
  }
}
