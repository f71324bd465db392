package io.topv.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  @Test
  void holdsBackWhatMayBeginAStopString() {
    StopStrings stops = new StopStrings(List.of("STOP", "\n\n"));
    assertThat(stops.push("a S")).isEqualTo("a ");
    assertThat(stops.push("TO")).isEmpty();
    assertThat(stops.push("x\n")).isEqualTo("STOx");
    assertThat(stops.push("b")).isEqualTo("\nb");
    assertThat(stops.hit()).isEmpty();
  }

  @Test
  void cutsBeforeTheStopString() {
    StopStrings stops = new StopStrings(List.of("STOP"));
    assertThat(stops.push("one STO")).isEqualTo("one ");
    assertThat(stops.push("P two")).isEmpty();
    assertThat(stops.hit()).hasValue("STOP");
    assertThat(stops.push("more")).isEmpty();
    assertThat(stops.flush()).isEmpty();
  }

  @Test
  void aShorterStopInsideALongerOneWinsAsSoonAsItIsThere() {
    StopStrings stops = new StopStrings(List.of("abcd", "bc"));
    assertThat(stops.push("xabc")).isEqualTo("xa");
    assertThat(stops.hit()).hasValue("bc");
  }

  @Test
  void overlappingPrefixesAreFound() {
    StopStrings stops = new StopStrings(List.of("aab"));
    assertThat(stops.push("aaaa")).isEqualTo("aa");
    assertThat(stops.push("b")).isEmpty();
    assertThat(stops.hit()).hasValue("aab");
  }

  @Test
  void flushGivesBackWhatWasHeld() {
    StopStrings stops = new StopStrings(List.of("END"));
    assertThat(stops.push("the EN")).isEqualTo("the ");
    assertThat(stops.flush()).isEqualTo("EN");
    assertThat(stops.flush()).isEmpty();
  }

  @Test
  void withoutStopStringsAllPasses() {
    assertThat(new StopStrings(List.of()).push("anything")).isEqualTo("anything");
  }

  @Test
  void anEmptyStopStringIsRefused() {
    assertThatThrownBy(() -> new StopStrings(List.of("a", "")))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("empty");
  }

  /** However a text comes in pieces, it is cut before the stop string that ends first. */
  @Test
  void piecesDoNotMatter() {
    Random random = new Random(3);
    for (int round = 0; round < 2000; round++) {
      String text = word(random, 30);
      List<String> list = List.of(word(random, 3), word(random, 4));
      StopStrings stops = new StopStrings(list);
      StringBuilder out = new StringBuilder();
      for (int at = 0; at < text.length(); ) {
        int next = Math.min(text.length(), at + 1 + random.nextInt(4));
        out.append(stops.push(text.substring(at, next)));
        at = next;
      }
      out.append(stops.flush());
      assertThat(out.toString()).as(text + " " + list).isEqualTo(expected(text, list));
    }
  }

  private static String expected(String text, List<String> stops) {
    for (int end = 1; end <= text.length(); end++) {
      String head = text.substring(0, end);
      int longest = stops.stream().filter(head::endsWith).mapToInt(String::length).max().orElse(0);
      if (longest > 0) {
        return text.substring(0, end - longest);
      }
    }
    return text;
  }

  private static String word(Random random, int longest) {
    StringBuilder out = new StringBuilder();
    for (int n = 1 + random.nextInt(longest); n > 0; n--) {
      out.append((char) ('a' + random.nextInt(2)));
    }
    return out.toString();
  }
}
