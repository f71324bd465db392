package io.topv.engine.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.topv.engine.template.Assets;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tokenizers of the tests: tiny ones in the repository, real ones where they are fetched. */
final class TestTokenizers {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String VARIANT = "_not_normalized";

  private TestTokenizers() {}

  /** What Python's tokenizers gives for a text. */
  record Golden(String text, int[] ids, int[] bare, String decoded, String decodedWithSpecial) {}

  /** The folder of a tokenizer; the test is skipped where a real one is not fetched. */
  static Path folder(String name) {
    if (name.startsWith("tiny")) {
      try {
        return Path.of(TestTokenizers.class.getResource("/tokenizer/" + name).toURI());
      } catch (URISyntaxException e) {
        throw new AssertionError(e);
      }
    }
    Path folder = Assets.tokenizer(name);
    assumeTrue(Files.exists(folder), folder + " is absent; run scripts/fetch_assets");
    return folder;
  }

  /** As {@link #folder}; NAME_not_normalized is NAME with normalized false in all added tokens. */
  static Path variant(String name, Path temporary) throws IOException {
    if (!name.endsWith(VARIANT)) {
      return folder(name);
    }
    Path original = folder(name.replace(VARIANT, ""));
    String json = Files.readString(original.resolve("tokenizer.json"));
    int end = json.indexOf("\"normalizer\"");
    String changed =
        json.substring(0, end).replaceAll("\"normalized\": ?true", "\"normalized\":false");
    Files.writeString(temporary.resolve("tokenizer.json"), changed + json.substring(end));
    return temporary;
  }

  /** See scripts/make_tokenizer_golden.py for what a row leaves out. */
  static List<Golden> golden(String name) {
    JsonNode strings = json("strings.json");
    JsonNode rows = json("golden/" + name + ".json");
    if (rows.size() != strings.size()) {
      throw new AssertionError(name + ": " + rows.size() + " rows for " + strings.size());
    }
    List<Golden> out = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      JsonNode row = rows.get(i);
      if (!row.isNull()) {
        String text = strings.get(i).asString();
        int[] ids = ints(row.get("ids"));
        String decoded = row.path("decoded").asString(text);
        out.add(
            new Golden(
                text,
                ids,
                row.has("bare") ? ints(row.get("bare")) : ids,
                decoded,
                row.path("decoded_with_special").asString(decoded)));
      }
    }
    return out;
  }

  private static int[] ints(JsonNode list) {
    return IntStream.range(0, list.size()).map(i -> list.get(i).asInt()).toArray();
  }

  private static JsonNode json(String resource) {
    try (InputStream in = TestTokenizers.class.getResourceAsStream("/tokenizer/" + resource)) {
      return JSON.readTree(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
