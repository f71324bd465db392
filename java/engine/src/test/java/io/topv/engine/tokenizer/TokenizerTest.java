package io.topv.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
  private static Tokenizer pieces;
  private static Tokenizer bytes;

  @BeforeAll
  static void load() {
    pieces = Tokenizer.load(TestTokenizers.folder("tiny_pieces"));
    bytes = Tokenizer.load(TestTokenizers.folder("tiny_bytes"));
  }

  @AfterAll
  static void close() {
    pieces.close();
    bytes.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tiny_bytes",
        "tiny_bytes_not_normalized",
        "tiny_pieces",
        "tiny_pieces_not_normalized",
        "llama2",
        "llama2_not_normalized",
        "llama3",
        "qwen2_5"
      })
  void encodesAndDecodesAsPython(String name, @TempDir Path temporary) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(TestTokenizers.variant(name, temporary))) {
      List<TestTokenizers.Golden> rows = TestTokenizers.golden(name);
      assertThat(rows).isNotEmpty();
      for (TestTokenizers.Golden row : rows) {
        assertThat(tokenizer.encode(row.text(), true)).as(row.text()).isEqualTo(row.ids());
        assertThat(tokenizer.encode(row.text(), false)).as(row.text()).isEqualTo(row.bare());
        assertThat(tokenizer.decode(row.ids(), true)).isEqualTo(row.decoded());
        assertThat(tokenizer.decode(row.ids(), false)).isEqualTo(row.decodedWithSpecial());
      }
    }
  }

  @Test
  void neitherTruncatesNorPads() {
    assertThat(bytes.encode("a red circle ".repeat(2000), true).length).isGreaterThan(5000);
    assertThat(bytes.encode("a", true)).hasSize(1);
  }

  @Test
  void neitherTruncatesNorPadsWhereTheFileSaysSo(@TempDir Path dir) throws IOException {
    copyTinyBytes(dir);
    Path file = dir.resolve("tokenizer.json");
    String truncation =
        "\"truncation\": {\"max_length\": 3, \"strategy\": \"LongestFirst\", \"stride\": 0,"
            + " \"direction\": \"Right\"}";
    String padding =
        "\"padding\": {\"strategy\": {\"Fixed\": 9}, \"direction\": \"Right\", \"pad_id\": 0,"
            + " \"pad_to_multiple_of\": null, \"pad_type_id\": 0, \"pad_token\": \"x\"}";
    String json = Files.readString(file);
    String changed =
        json.replace("\"truncation\":null", truncation).replace("\"padding\":null", padding);
    assertThat(changed).contains(truncation, padding);
    Files.writeString(file, changed);
    try (Tokenizer tokenizer = Tokenizer.load(dir)) {
      assertThat(tokenizer.encode("a", true)).hasSize(1);
      assertThat(tokenizer.encode("a b c d e f", true).length).isGreaterThan(3);
    }
  }

  @Test
  void knowsSpecialTokensByRole() {
    SpecialTokens special = pieces.specialTokens();
    assertThat(special.bos()).hasValue("<s>");
    assertThat(special.eos()).hasValue("</s>");
    assertThat(special.unk()).hasValue("<unk>");
    assertThat(special.pad()).isEmpty();
    assertThat(bytes.specialTokens().image()).hasValue("<image>");
    assertThat(bytes.specialTokens().bos()).isEmpty();
  }

  @Test
  void readsSpecialTokensOfTheOlderFile(@TempDir Path dir) throws IOException {
    copyTinyBytes(dir);
    Files.writeString(
        dir.resolve("special_tokens_map.json"),
        "{\"bos_token\": {\"content\": \"<|im_start|>\"}, \"additional_special_tokens\": [\"x\"]}");
    try (Tokenizer tokenizer = Tokenizer.load(dir)) {
      assertThat(tokenizer.specialTokens().bos()).hasValue("<|im_start|>");
      assertThat(tokenizer.specialTokens().byName()).hasSize(1);
    }
  }

  @Test
  void addsTokensThatOnlyTheConfigDeclares(@TempDir Path dir) throws IOException {
    copyTinyBytes(dir);
    int next = bytes.vocabSize();
    Files.writeString(
        dir.resolve("tokenizer_config.json"),
        "{\"added_tokens_decoder\": {\"0\": {\"content\": \"<|endoftext|>\", \"special\": true}, \""
            + next
            + "\": {\"content\": \"<|vision|>\", \"special\": true}}}");
    try (Tokenizer tokenizer = Tokenizer.load(dir)) {
      assertThat(tokenizer.idOf("<|vision|>")).hasValue(next);
      assertThat(tokenizer.encode("<|vision|>", false)).containsExactly(next);
      assertThat(tokenizer.decode(new int[] {next}, true)).isEmpty();
    }
  }

  private static void copyTinyBytes(Path dir) throws IOException {
    Files.copy(
        TestTokenizers.folder("tiny_bytes").resolve("tokenizer.json"),
        dir.resolve("tokenizer.json"),
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void mapsTokensAndIdsBothWays() {
    assertThat(pieces.idOf("</s>")).hasValue(2);
    assertThat(pieces.tokenOf(2)).isEqualTo("</s>");
    assertThat(pieces.idOf("no such token")).isEmpty();
    assertThatThrownBy(() -> pieces.tokenOf(pieces.vocabSize()))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("no token has the id " + pieces.vocabSize());
    for (int id = 0; id < pieces.vocabSize(); id++) {
      assertThat(pieces.idOf(pieces.tokenOf(id))).hasValue(id);
    }
  }

  @Test
  void addsNoSecondBosToARenderedPrompt() {
    int bos = pieces.idOf("<s>").getAsInt();
    assertThat(Arrays.stream(pieces.encodePrompt("<s>hello")).filter(i -> i == bos)).hasSize(1);
    assertThat(Arrays.stream(pieces.encodePrompt("hello")).filter(i -> i == bos)).hasSize(1);
    assertThat(pieces.encode("hello", false)).doesNotContain(bos);
  }

  @Test
  void idsBeyondTheVocabularyDecodeToNothing() {
    assertThat(pieces.decode(new int[] {pieces.vocabSize() + 5}, false)).isEmpty();
    assertThat(pieces.decode(new int[0], false)).isEmpty();
    assertThatThrownBy(() -> pieces.decode(new int[] {-1}, false))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("-1");
  }

  @Test
  void halfASurrogatePairBecomesTheReplacementCharacter() {
    assertThat(bytes.decode(bytes.encode("a\ud83db\udc00", false), false))
        .isEqualTo("a\ufffdb\ufffd");
    assertThat(bytes.decode(bytes.encode("\ud83d\udc4d", false), false)).isEqualTo("\ud83d\udc4d");
  }

  @Test
  void threadsShareOneTokenizer() throws InterruptedException {
    String text = "how many red circles are there? 你好 <image>";
    int[] expected = pieces.encode(text, true);
    List<Thread> threads = new ArrayList<>();
    List<int[]> right = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      threads.add(
          new Thread(
              () -> {
                for (int i = 0; i < 100; i++) {
                  int[] ids = pieces.encode(text, true);
                  synchronized (right) {
                    right.add(Arrays.equals(ids, expected) ? ids : null);
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(right).hasSize(400).doesNotContainNull();
  }

  @Test
  void namesTheFileThatIsMissing(@TempDir Path dir) {
    assertThatThrownBy(() -> Tokenizer.load(dir))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining(dir.resolve("tokenizer.json").toString())
        .hasMessageContaining("no such file");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"model\": {\"vocab\": 3}}",
        "{\"model\": {\"vocab\": {\"a\": -1}}}",
        "{\"model\": {\"vocab\": {\"a\": 99999999999}}}",
        "{\"model\": {\"vocab\": {\"a\": 2000000000}}}",
        "{\"model\": {\"type\": \"Nonsense\", \"vocab\": {\"a\": 0}}}",
        "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"x y\"]}}",
        "{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": []}, \"added_tokens\": [1]}"
      })
  void refusesBrokenFiles(String content, @TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("tokenizer.json"), content);
    assertThatThrownBy(() -> Tokenizer.load(dir))
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(file.toString())
        .message()
        .doesNotContain("\n");
  }

  @Test
  void refusesAbsurdNestingAndBrokenText(@TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("tokenizer.json"), "[".repeat(100_000));
    assertThatThrownBy(() -> Tokenizer.load(dir))
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(file.toString());
    Files.write(file, new byte[] {'{', (byte) 0xff, '}'});
    assertThatThrownBy(() -> Tokenizer.load(dir))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("not valid UTF-8");
  }

  @Test
  void refusesASpecialTokenThatIsNoText(@TempDir Path dir) throws IOException {
    copyTinyBytes(dir);
    Path config = Files.writeString(dir.resolve("tokenizer_config.json"), "{\"bos_token\": 7}");
    assertThatThrownBy(() -> Tokenizer.load(dir))
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(config.toString())
        .hasMessageContaining("bos_token is 7");
  }
}
