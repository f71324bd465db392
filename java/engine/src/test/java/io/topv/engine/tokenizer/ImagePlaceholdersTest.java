package io.topv.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.engine.tokenizer.ImagePlaceholders.Expanded;
import io.topv.engine.tokenizer.ImagePlaceholders.Span;
import org.junit.jupiter.api.Test;

class ImagePlaceholdersTest {
  private static final int IMAGE = 9;

  private static Expanded expand(int[] ids, int... visualTokens) {
    return ImagePlaceholders.expand(ids, IMAGE, "<image>", visualTokens);
  }

  @Test
  void expandsEachPlaceholderByItsOwnCount() {
    Expanded out = expand(new int[] {1, IMAGE, 2, IMAGE, IMAGE}, 3, 1, 2);
    assertThat(out.ids()).containsExactly(1, 9, 9, 9, 2, 9, 9, 9);
    assertThat(out.spans()).containsExactly(new Span(1, 3), new Span(5, 1), new Span(6, 2));
  }

  @Test
  void aPromptWithoutImagesStaysAsItIs() {
    Expanded out = expand(new int[] {1, 2});
    assertThat(out.ids()).containsExactly(1, 2);
    assertThat(out.spans()).isEmpty();
    assertThat(expand(new int[0]).ids()).isEmpty();
  }

  @Test
  void wrongCountsAreAnError() {
    refused(new int[] {IMAGE, IMAGE}, "prompt has 2 <image> placeholders but 1 image was given", 4);
    refused(new int[] {IMAGE}, "prompt has 1 <image> placeholder but 0 images were given");
    refused(new int[] {IMAGE}, "image 1 has 0 visual tokens", 0);
    refused(
        new int[] {IMAGE, IMAGE},
        "prompt of 2147483648 tokens; at most 268435456",
        Integer.MAX_VALUE,
        1);
  }

  private static void refused(int[] ids, String message, int... visualTokens) {
    assertThatThrownBy(() -> expand(ids, visualTokens))
        .isInstanceOf(TopvException.class)
        .hasMessage(message);
  }
}
