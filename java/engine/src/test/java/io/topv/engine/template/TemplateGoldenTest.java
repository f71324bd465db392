package io.topv.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every template renders as transformers does (scripts/make_template_golden.py). */
class TemplateGoldenTest {
  static final Clock CLOCK = Clock.fixed(Instant.parse("2024-07-04T05:06:07Z"), ZoneOffset.UTC);
  private static final JsonMapper JSON = new JsonMapper();

  @TestFactory
  Stream<DynamicContainer> templates() {
    JsonNode contexts = read("contexts.json");
    return StreamSupport.stream(read("manifest.json").spliterator(), false)
        .map(
            entry -> {
              String name = entry.get("template").asString();
              return DynamicContainer.dynamicContainer(name, cases(entry, name, contexts));
            });
  }

  @Test
  void atLeastFifteenRealTemplatesAreCovered() {
    long real =
        StreamSupport.stream(read("manifest.json").spliterator(), false)
            .filter(e -> e.has("tokenizer"))
            .count();
    assertThat(real).isGreaterThanOrEqualTo(15);
  }

  private Stream<DynamicTest> cases(JsonNode entry, String name, JsonNode contexts) {
    return StreamSupport.stream(read("golden/" + name + ".json").spliterator(), false)
        .map(
            c -> {
              String context = c.get("context").asString();
              return DynamicTest.dynamicTest(
                  context, () -> check(source(entry, name), name, c, contexts.get(context)));
            });
  }

  private static void check(String source, String name, JsonNode golden, JsonNode context) {
    @SuppressWarnings("unchecked")
    Map<String, Object> variables = JSON.convertValue(context, Map.class);
    ChatTemplate template = ChatTemplate.parse(source, name, CLOCK);
    if (golden.has("error")) {
      assertThatThrownBy(() -> template.render(variables))
          .isInstanceOf(TopvException.class)
          .hasMessageStartingWith(name + ":")
          .message()
          .doesNotContain("unsupported", "\n");
      return;
    }
    String rendered = template.render(variables);
    if (golden.has("sha256")) {
      assertThat(sha256(rendered)).as(rendered).isEqualTo(golden.get("sha256").asString());
    } else {
      assertThat(rendered).isEqualTo(golden.get("expected").asString());
    }
  }

  private static String source(JsonNode entry, String name) {
    if (entry.get("in_repository").asBoolean()) {
      return new String(bytes(name + ".jinja"), StandardCharsets.UTF_8);
    }
    Path config =
        Assets.tokenizer(entry.get("tokenizer").asString()).resolve("tokenizer_config.json");
    assumeTrue(Files.exists(config), config + " is absent; run scripts/fetch_assets");
    JsonNode template = JSON.readTree(config.toFile()).get("chat_template");
    if (template.isString()) {
      return template.asString();
    }
    String wanted = entry.has("name") ? entry.get("name").asString() : "default";
    return StreamSupport.stream(template.spliterator(), false)
        .filter(t -> t.get("name").asString().equals(wanted))
        .findFirst()
        .orElseThrow()
        .get("template")
        .asString();
  }

  private static JsonNode read(String resource) {
    return JSON.readTree(bytes(resource));
  }

  static byte[] bytes(String resource) {
    try (InputStream in = TemplateGoldenTest.class.getResourceAsStream("/templates/" + resource)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sha256(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
