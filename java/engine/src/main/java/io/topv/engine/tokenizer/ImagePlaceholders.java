package io.topv.engine.tokenizer;

import io.topv.engine.TopvException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Makes room in a prompt for the visual tokens of its images. */
public final class ImagePlaceholders {
  private static final long MAX_TOKENS = 1 << 28;

  private ImagePlaceholders() {}

  /** The visual tokens of one image: {@code length} positions from {@code start}. */
  public record Span(int start, int length) {}

  /**
   * A prompt with room for its images.
   *
   * @param ids token ids; the image token fills the spans
   * @param spans one per image, in order
   */
  public record Expanded(int[] ids, List<Span> spans) {}

  /**
   * Repeats the image token in place i as often as image i has visual tokens.
   *
   * @param ids the prompt with one image token per image
   * @param imageTokenId id of the image token
   * @param imageToken its text, for messages
   * @param visualTokens number of visual tokens of each image, each at least 1
   * @throws TopvException where the prompt has more or fewer image tokens than there are images
   */
  public static Expanded expand(
      int[] ids, int imageTokenId, String imageToken, int... visualTokens) {
    long places = Arrays.stream(ids).filter(id -> id == imageTokenId).count();
    if (places != visualTokens.length) {
      throw new TopvException(
          String.format(
              "prompt has %d %s placeholder%s but %d image%s given",
              places,
              imageToken,
              places == 1 ? "" : "s",
              visualTokens.length,
              visualTokens.length == 1 ? " was" : "s were"));
    }
    long total = ids.length - places + Arrays.stream(visualTokens).asLongStream().sum();
    if (total > MAX_TOKENS) {
      throw new TopvException("prompt of " + total + " tokens; at most " + MAX_TOKENS);
    }
    int[] out = new int[(int) total];
    List<Span> spans = new ArrayList<>(visualTokens.length);
    int at = 0;
    for (int id : ids) {
      int n = 1;
      if (id == imageTokenId) {
        n = visualTokens[spans.size()];
        if (n < 1) {
          throw new TopvException("image " + (spans.size() + 1) + " has " + n + " visual tokens");
        }
        spans.add(new Span(at, n));
      }
      Arrays.fill(out, at, at + n, id);
      at += n;
    }
    return new Expanded(out, List.copyOf(spans));
  }
}
