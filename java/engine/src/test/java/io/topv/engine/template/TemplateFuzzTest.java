package io.topv.engine.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.topv.engine.TopvException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Any template ends in a text or in a TopvException of one line, within its limits. A plain build
 * runs the inputs in the resources; JAZZER_FUZZ=1 searches for new ones.
 */
class TemplateFuzzTest {
  private static final Limits SMALL = new Limits(1 << 16, 100_000, 20);
  private static final Map<String, Object> VARIABLES =
      Map.of(
          "messages",
          List.of(
              Map.of("role", "user", "content", "Hi 👩‍👩‍👧"),
              Map.of("role", "assistant", "content", List.of(Map.of("type", "image")))),
          "add_generation_prompt",
          true,
          "n",
          List.of(1, 2.5, -3),
          "tools",
          List.of());

  @FuzzTest(maxDuration = "2m")
  void anyTemplateRendersOrIsRefused(byte[] input) {
    String source = new String(input, StandardCharsets.UTF_8);
    try {
      ChatTemplate template = ChatTemplate.parse(source, "fuzz", TemplateGoldenTest.CLOCK, SMALL);
      assertThat(template.render(VARIABLES)).hasSizeLessThanOrEqualTo(1 << 16);
    } catch (TopvException e) {
      assertThat(e.getMessage()).startsWith("fuzz").doesNotContain("\n");
    }
  }
}
