package io.topv.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NpyWriterTest {
  @TempDir Path dir;

  @Test
  void writesWhatNumpyWrites() throws IOException {
    float[] values = new float[2 * 3 * 5];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) i / 7 - 2;
    }
    Path file = dir.resolve("values.npy");
    NpyWriter.write(file, values, 2, 3, 5);
    assertThat(Files.readAllBytes(file)).isEqualTo(Goldens.resource("values.npy").orElseThrow());
  }

  @Test
  void writesMoreThanOneBlock() throws IOException {
    Path file = dir.resolve("large.npy");
    NpyWriter.write(file, new float[3 * 336 * 336], 3, 336, 336);
    assertThat(Files.size(file)).isEqualTo(128 + 4 * 3 * 336 * 336);
  }

  @Test
  void refusesAShapeThatDoesNotFit() {
    assertThatThrownBy(() -> NpyWriter.write(dir.resolve("x"), new float[7], 2, 3))
        .isInstanceOf(IllegalArgumentException.class);
    Path nowhere = dir.resolve("no/such/folder.npy");
    assertThatThrownBy(() -> NpyWriter.write(nowhere, new float[6], 2, 3))
        .isInstanceOf(TopvException.class)
        .hasMessageStartingWith(nowhere + ": cannot be written");
  }
}
