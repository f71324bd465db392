package io.topv.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplatesTest {
  @TempDir private Path dir;

  private void write(String name, String content) throws IOException {
    Files.writeString(dir.resolve(name), content);
  }

  private String found() {
    return ChatTemplates.load(dir).render(Map.of());
  }

  @Test
  void laterPlacesGiveWayToEarlierOnes() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": \"from tokenizer\"}");
    assertThat(found()).isEqualTo("from tokenizer");
    write("chat_template.jinja", "from jinja\n");
    assertThat(found()).isEqualTo("from jinja");
    write("chat_template.json", "{\"chat_template\": \"from json\"}");
    assertThat(found()).isEqualTo("from json");
    write("processor_config.json", "{\"chat_template\": null, \"x\": 1}");
    assertThat(found()).isEqualTo("from json");
    write("processor_config.json", "{\"chat_template\": \"from processor\"}");
    assertThat(found()).isEqualTo("from processor");
    assertThat(ChatTemplates.load(dir).origin()).endsWith("processor_config.json");
  }

  @Test
  void takesTheTemplateCalledDefault() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"no\"},"
            + " {\"name\": \"default\", \"template\": \"yes\"}]}");
    assertThat(found()).isEqualTo("yes");
    write("chat_template.json", "{\"chat_template\": {\"default\": \"object\"}}");
    assertThat(found()).isEqualTo("object");
  }

  @Test
  void saysWhereItLooked() {
    assertThat(ChatTemplates.find(dir)).isEmpty();
    assertThatThrownBy(this::found)
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(dir.toString())
        .hasMessageContaining("chat_template.jinja")
        .hasMessageContaining("tokenizer_config.json")
        .hasMessageContaining("--raw");
  }

  @Test
  void namesTheFileThatIsBroken() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": [{\"name\": \"rag\"}]}");
    assertThatThrownBy(this::found)
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(dir.resolve("tokenizer_config.json").toString())
        .hasMessageContaining("default");
    write("tokenizer_config.json", "{");
    assertThatThrownBy(this::found)
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("not valid JSON");
    write("chat_template.jinja", "\n{% nonsense %}");
    assertThatThrownBy(this::found)
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(dir.resolve("chat_template.jinja") + ":2: ");
    Files.write(dir.resolve("chat_template.jinja"), new byte[] {(byte) 0xff});
    assertThatThrownBy(this::found)
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("not valid UTF-8");
  }
}
