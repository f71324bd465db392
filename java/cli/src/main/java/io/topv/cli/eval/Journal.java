package io.topv.cli.eval;

import io.topv.engine.TopvException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What is known so far, in memory and, where a file is given, as lines of JSON that an interrupted
 * run goes on from. The first line says of which model and questions.
 */
public final class Journal implements AutoCloseable {
  private static final JsonMapper JSON = new JsonMapper();

  private final Map<String, Map<Integer, Outcome>> known = new HashMap<>();
  private final Optional<BufferedWriter> writer;

  /**
   * @param subject what the outcomes are of; a file of another one is refused
   */
  public Journal(Optional<Path> file, String subject) {
    try {
      file.filter(Files::exists).ifPresent(path -> read(path, subject));
      boolean fresh = known.isEmpty();
      this.writer = file.isEmpty() ? Optional.empty() : Optional.of(open(file.get()));
      if (writer.isPresent() && fresh) {
        line(Map.of("subject", subject));
      }
    } catch (IOException e) {
      throw new TopvException(file.orElseThrow() + ": cannot be written: " + e.getMessage(), e);
    }
  }

  private static BufferedWriter open(Path file) throws IOException {
    return Files.newBufferedWriter(
        file, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private void read(Path file, String subject) {
    try {
      List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
      if (lines.isEmpty()) {
        return;
      }
      String was = JSON.readTree(lines.get(0)).path("subject").asString("");
      if (!was.equals(subject)) {
        throw new TopvException(
            "%s: its first line is of \"%s\", this run is of \"%s\"; name another file"
                .formatted(file, was, subject));
      }
      for (String line : lines.subList(1, lines.size())) {
        outcome(line).ifPresent(this::remember);
      }
    } catch (IOException | JacksonException e) {
      throw new TopvException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** Empty for a line that a killed run left unfinished. */
  private static Optional<Outcome> outcome(String line) {
    try {
      JsonNode json = JSON.readTree(line);
      return json.has("condition") && json.has("tokens")
          ? Optional.of(
              new Outcome(
                  json.get("condition").asString(),
                  json.get("question").asInt(),
                  json.get("answer").asString(),
                  json.get("correct").asBoolean(),
                  json.get("tokens").asInt()))
          : Optional.empty();
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  private void remember(Outcome outcome) {
    known
        .computeIfAbsent(outcome.condition(), key -> new HashMap<>())
        .put(outcome.question(), outcome);
  }

  /** Keeps outcomes; whole lines reach the file before this returns. */
  public synchronized void add(Collection<Outcome> outcomes) {
    try {
      for (Outcome outcome : outcomes) {
        remember(outcome);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("condition", outcome.condition());
        json.put("question", outcome.question());
        json.put("answer", outcome.answer());
        json.put("correct", outcome.correct());
        json.put("tokens", outcome.tokens());
        line(json);
      }
      if (writer.isPresent()) {
        writer.get().flush();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void line(Map<String, Object> json) throws IOException {
    if (writer.isPresent()) {
      writer.get().write(JSON.writeValueAsString(json) + "\n");
    }
  }

  public synchronized Optional<Outcome> outcome(Condition condition, Question question) {
    return Optional.ofNullable(
        known.getOrDefault(condition.key(), Collections.emptyMap()).get(question.index()));
  }

  @Override
  public void close() {
    try {
      if (writer.isPresent()) {
        writer.get().close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
