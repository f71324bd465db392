package io.topv.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.HalfFloats;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TensorPoolTest {
  private static final int NUMBERS = 1 << 15;

  private final Context context = Context.open(ContextOptions.cpu(1));

  @AfterEach
  void closeContext() {
    context.close();
  }

  /** NUMBERS times 0.5, then the scales, 1. */
  private static Path pool(Path dir) throws IOException {
    int all = NUMBERS + TensorPool.SCALES;
    ByteBuffer bytes = ByteBuffer.allocate(2 * all).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < all; i++) {
      bytes.putShort(HalfFloats.floatToBf16(i < NUMBERS ? 0.5f : 1));
    }
    return Files.write(dir.resolve("pool.bf16"), bytes.array());
  }

  @Test
  void givesEveryTensorAPieceOfItsOwn(@TempDir Path dir) throws IOException {
    try (TensorPool pool = TensorPool.open(pool(dir), context)) {
      WeightTensor first = pool.require("layers.0.mlp.weight", 16, 64);
      WeightTensor second = pool.require("layers.1.mlp.weight", 16, 64);
      assertThat(first.toFloats()).hasSize(1024).containsOnly(0.5f);
      assertThat(first.onDevice().orElseThrow().toFloats()).isEqualTo(first.toFloats());
      assertThat(second.info().offset()).isNotEqualTo(first.info().offset());
      assertThat(pool.require("layers.0.mlp.weight", 16, 64).info()).isEqualTo(first.info());
      assertThat(pool.require("all", NUMBERS).toFloats()).hasSize(NUMBERS).containsOnly(0.5f);
    }
  }

  @Test
  void weightsOfNormsLieAboutOne(@TempDir Path dir) throws IOException {
    try (TensorPool pool = TensorPool.open(pool(dir), context)) {
      for (String norm : new String[] {"input_layernorm.weight", "layer_norm2.weight"}) {
        assertThat(pool.require(norm, 640).toFloats()).containsOnly(1);
      }
      assertThat(pool.require("layer_norm2.bias", 640).toFloats()).containsOnly(0.5f);
    }
  }

  @Test
  void refusesWhatItIsTooSmallFor(@TempDir Path dir) throws IOException {
    try (TensorPool pool = TensorPool.open(pool(dir), context)) {
      assertThatThrownBy(() -> pool.require("w", NUMBERS, 2))
          .isInstanceOf(TopvException.class)
          .hasMessageContaining("w needs " + 2 * NUMBERS + " numbers, " + NUMBERS + " too many");
    }
    Path empty = Files.createFile(dir.resolve("empty"));
    assertThatThrownBy(() -> TensorPool.open(empty, context)).isInstanceOf(TopvException.class);
  }
}
