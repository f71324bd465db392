package io.topv.cli.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.cli.draw.Lettering;
import io.topv.engine.image.RgbImage;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExplanationTest {
  @Test
  void tellsRecoveredTokensFromImportantOnes() {
    Random random = new Random(5);
    for (int trial = 0; trial < 200; trial++) {
      int n = 1 + random.nextInt(60);
      int every = random.nextInt(6);
      int top = random.nextInt(n + 1);
      float[] importance = new float[n];
      for (int i = 0; i < n; i++) {
        importance[i] = random.nextInt(9);
      }
      int[] order =
          IntStream.range(0, n)
              .boxed()
              .sorted((a, b) -> Float.compare(importance[b], importance[a]))
              .mapToInt(i -> i)
              .toArray();
      int[] pruned = Arrays.stream(order).skip(top).sorted().toArray();
      int[] recovered =
          IntStream.range(0, every == 0 ? 0 : pruned.length)
              .filter(i -> i % every == 0)
              .map(i -> pruned[i])
              .toArray();
      int[] kept =
          IntStream.concat(Arrays.stream(order).limit(top), Arrays.stream(recovered))
              .sorted()
              .toArray();
      assertThat(Explanation.recovered(importance, kept, top)).containsExactly(recovered);
    }
  }

  @Test
  void paintsAPanelForEachView() {
    byte[] pixels = new byte[3 * 28 * 14];
    Arrays.fill(pixels, (byte) 200);
    RgbImage picture = new RgbImage(28, 14, pixels);
    Lettering letters = Lettering.best();
    List<String> line = List.of("line");
    int[] kept = {0};
    RgbImage three =
        ExplanationPainter.paint(
            new Explanation(picture, 2, 1, new float[] {2, 1}, kept, kept, "?", line, line),
            letters);
    RgbImage two =
        ExplanationPainter.paint(
            new Explanation(picture, 2, 1, new float[0], kept, kept, "?", line, line), letters);
    assertThat(three.width()).isGreaterThan(two.width() + 480);
    // In the last panel the kept left half is bright, the pruned right half dark.
    int y = two.height() / 2;
    int right = two.width() - 32;
    assertThat(two.at(right - 400, y, 0)).isEqualTo(200);
    assertThat(two.at(right - 100, y, 0)).isLessThan(100);
    // In the heat map the more important left half is yellow, the right half violet.
    assertThat(three.at(32 + 480 + 24 + 100, y, 1)).isGreaterThan(150);
    assertThat(three.at(32 + 480 + 24 + 400, y, 1)).isLessThan(100);
  }
}
