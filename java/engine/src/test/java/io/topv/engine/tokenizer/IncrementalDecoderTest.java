package io.topv.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IncrementalDecoderTest {
  @ParameterizedTest
  @ValueSource(strings = {"tiny_bytes", "tiny_pieces", "llama2", "llama3", "qwen2_5"})
  void streamsTextsAsTheyAre(String name) {
    try (Tokenizer tokenizer = Tokenizer.load(TestTokenizers.folder(name))) {
      for (TestTokenizers.Golden row : TestTokenizers.golden(name)) {
        assertThat(String.join("", stream(tokenizer, row.ids(), true))).isEqualTo(row.decoded());
        assertThat(String.join("", stream(tokenizer, row.ids(), false)))
            .isEqualTo(row.decodedWithSpecial());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny_bytes", "tiny_pieces", "llama2", "llama3", "qwen2_5"})
  void anyIdsStreamToTheSameTextAsDecodedTogether(String name) {
    Random random = new Random(7);
    try (Tokenizer tokenizer = Tokenizer.load(TestTokenizers.folder(name))) {
      for (int round = 0; round < 600; round++) {
        // The lowest ids are mostly special tokens, bytes and parts of characters.
        int range = round % 2 == 0 ? tokenizer.vocabSize() : 270;
        int[] ids = random.ints(1 + random.nextInt(40), 0, range + 3).toArray();
        if (longestByteRun(tokenizer, ids) > 12) {
          continue;
        }
        for (boolean skip : new boolean[] {true, false}) {
          assertThat(String.join("", stream(tokenizer, ids, skip)))
              .as(Arrays.toString(ids))
              .isEqualTo(tokenizer.decode(ids, skip));
        }
      }
    }
  }

  /**
   * A byte that is no UTF-8 spoils all bytes in a row with it, also those before. A stream cannot
   * wait for that for ever; so long rows are left out.
   */
  private static int longestByteRun(Tokenizer tokenizer, int[] ids) {
    int longest = 0;
    int run = 0;
    for (int id : ids) {
      boolean silent = !tokenizer.hasToken(id) || tokenizer.isSpecial(id);
      run = tokenizer.isByte(id) ? run + 1 : silent ? run : 0;
      longest = Math.max(longest, run);
    }
    return longest;
  }

  private static List<String> stream(Tokenizer tokenizer, int[] ids, boolean skipSpecial) {
    IncrementalDecoder decoder = tokenizer.incrementalDecoder(skipSpecial);
    List<String> out = new ArrayList<>();
    for (int id : ids) {
      out.add(decoder.push(id));
    }
    out.add(decoder.flush());
    return out;
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny_bytes", "tiny_pieces"})
  void neverEmitsHalfACharacter(String name) {
    try (Tokenizer tokenizer = Tokenizer.load(TestTokenizers.folder(name))) {
      int[] ids = tokenizer.encode("ab 👩‍👩‍👧 ไทย 你 end", false);
      for (String piece : stream(tokenizer, ids, true)) {
        assertThat(piece).doesNotContain("\ufffd");
        assertThat(!piece.isEmpty() && Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
            .isFalse();
      }
    }
  }

  @Test
  void keepsTheSpaceBeforeEachWord() {
    try (Tokenizer tokenizer = Tokenizer.load(TestTokenizers.folder("tiny_pieces"))) {
      int[] ids = tokenizer.encode("the red circle", false);
      assertThat(ids).hasSize(3);
      assertThat(stream(tokenizer, ids, true)).containsExactly("the", " red", " circle", "");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny_bytes", "tiny_pieces"})
  void longRunsOfBytesDoNotStallTheStream(String name) {
    try (Tokenizer tokenizer = Tokenizer.load(TestTokenizers.folder(name))) {
      String text = "ไทย".repeat(60);
      List<String> pieces = stream(tokenizer, tokenizer.encode(text, false), true);
      assertThat(String.join("", pieces)).isEqualTo(text);
      assertThat(pieces.get(pieces.size() - 1).length()).isLessThan(20);
    }
  }

  @Test
  void brokenBytesDoNotStallTheStream() {
    try (Tokenizer tokenizer = Tokenizer.load(TestTokenizers.folder("tiny_bytes"))) {
      // "Ã" stands for the byte C3, which needs another one after it.
      int[] ids = new int[200];
      Arrays.fill(ids, tokenizer.idOf("Ã").getAsInt());
      List<String> pieces = stream(tokenizer, ids, true);
      assertThat(String.join("", pieces)).isEqualTo("\ufffd".repeat(200));
      assertThat(pieces.get(pieces.size() - 1).length()).isLessThan(20);
    }
  }

  @Test
  void flushMakesTheDecoderNew() {
    try (Tokenizer tokenizer = Tokenizer.load(TestTokenizers.folder("tiny_pieces"))) {
      int[] ids = tokenizer.encode("the red", false);
      IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
      for (int round = 0; round < 2; round++) {
        assertThat(decoder.push(ids[0]) + decoder.push(ids[1]) + decoder.flush())
            .isEqualTo("the red");
      }
    }
  }
}
