package io.topv.cli.explain;

import io.topv.engine.image.RgbImage;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a picture of the pruning shows.
 *
 * @param picture what the model sees: resized and cropped, not normalized
 * @param width tokens per row of the grid
 * @param height rows of the grid
 * @param importance per visual token, or empty where the method has none
 * @param kept ascending indices of visual tokens
 * @param recovered ascending indices of those in {@code kept} that importance alone had pruned
 * @param title question and answer
 * @param captions lines under the title
 * @param footer lines under the panels
 */
public record Explanation(
    RgbImage picture,
    int width,
    int height,
    float[] importance,
    int[] kept,
    int[] recovered,
    String title,
    List<String> captions,
    List<String> footer) {

  public int tokens() {
    return width * height;
  }

  /** Per visual token, whether its index is in {@code indices}. */
  static boolean[] mask(int[] indices, int tokens) {
    boolean[] mask = new boolean[tokens];
    for (int index : indices) {
      mask[index] = true;
    }
    return mask;
  }

  /** Which of {@code kept} came back by recovery: those not among the {@code top} highest. */
  public static int[] recovered(float[] importance, int[] kept, int top) {
    int n = importance.length;
    // A stable sort: equal ones go to the lower index, as in the selection.
    boolean[] highest =
        mask(
            IntStream.range(0, n)
                .boxed()
                .sorted((a, b) -> Float.compare(importance[b], importance[a]))
                .limit(top)
                .mapToInt(Integer::intValue)
                .toArray(),
            n);
    return Arrays.stream(kept).filter(index -> !highest[index]).toArray();
  }
}
