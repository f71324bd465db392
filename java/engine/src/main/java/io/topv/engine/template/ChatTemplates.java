package io.topv.engine.template;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Finds the chat template of a model folder, where transformers 5 would. */
public final class ChatTemplates {
  private static final JsonMapper JSON = new JsonMapper();
  private static final long MAX_FILE = 64 << 20;
  private static final String FIELD = "chat_template";
  private static final List<String> PLACES =
      List.of(
          "processor_config.json",
          "chat_template.json",
          "chat_template.jinja",
          "tokenizer_config.json");

  private ChatTemplates() {}

  /**
   * The template of the model in {@code modelDir}; the first of {@code processor_config.json},
   * {@code chat_template.json}, {@code chat_template.jinja} and {@code tokenizer_config.json} that
   * has one. Where a file holds several by name, the one called "default".
   *
   * @return empty where none of the files has a template
   * @throws TopvException where a file is broken
   */
  public static Optional<ChatTemplate> find(Path modelDir) {
    for (String name : PLACES) {
      Path file = modelDir.resolve(name);
      if (Files.exists(file)) {
        String text = read(file);
        Optional<String> source =
            name.endsWith(".jinja") ? Optional.of(text) : fromJson(text, file);
        if (source.isPresent()) {
          return Optional.of(ChatTemplate.parse(source.get(), file.toString()));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * As {@link #find}.
   *
   * @throws TopvException where the folder has no template: it says what was looked at
   */
  public static ChatTemplate load(Path modelDir) {
    return find(modelDir)
        .orElseThrow(
            () ->
                new TopvException(
                    modelDir
                        + ": no chat template (looked for chat_template.jinja, and for the field"
                        + " \"chat_template\" in chat_template.json, processor_config.json and"
                        + " tokenizer_config.json); pass the prompt as it is with --raw"));
  }

  private static Optional<String> fromJson(String text, Path file) {
    JsonNode field;
    try {
      field = JSON.readTree(text).path(FIELD);
    } catch (JacksonException e) {
      throw new TopvException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
    }
    if (field.isMissingNode() || field.isNull()) {
      return Optional.empty();
    }
    if (field.isString()) {
      return Optional.of(field.asString());
    }
    if (field.isObject() && field.path("default").isString()) {
      return Optional.of(field.get("default").asString());
    }
    if (field.isArray()) {
      for (JsonNode entry : field) {
        boolean isDefault = entry.path("name").asString("").equals("default");
        if (isDefault && entry.path("template").isString()) {
          return Optional.of(entry.get("template").asString());
        }
      }
    }
    throw new TopvException(
        file + ": field chat_template has neither a text nor a template named \"default\"");
  }

  private static String read(Path file) {
    try {
      if (Files.size(file) > MAX_FILE) {
        throw new TopvException(file + ": larger than " + MAX_FILE + " bytes");
      }
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (CharacterCodingException e) {
      throw new TopvException(file + ": not valid UTF-8", e);
    } catch (IOException e) {
      throw new TopvException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
