package io.topv.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class OpsTest {
  @Test
  void samplesGreedilyAndByTheGenerator() {
    try (Context context = Context.open(ContextOptions.cpu(1));
        DeviceBuffer memory = context.allocate(1024)) {
      Tensor logits = memory.tensor(DType.F32, 2, 3).put(new float[] {0, 2, 2, 1, -1, 0});
      Tensor tokens = memory.tensor(DType.I32, 1, 2, 64);
      Tensor logprob = memory.tensor(DType.F32, 1, 2, 128);
      context.ops().sample(logits, Sampling.GREEDY, tokens, Optional.of(logprob));
      assertThat(tokens.toInts()).containsExactly(1, 0);
      assertThat(logprob.toFloats()[0])
          .isCloseTo((float) -Math.log(2 + Math.exp(-2)), within(1e-6f));

      // Key and counter of zeros: Philox gives 0x6627e8d5, so u = 0.399, and the tokens share [0,
      // 1)
      // as 0.67, 0.24, 0.09 (row 1), and evenly between the two best of row 0 by top-k.
      Tensor temperature = memory.tensor(DType.F32, 1, 2, 192).put(new float[] {1, 1});
      Tensor topK = memory.tensor(DType.I32, 1, 2, 256).put(new int[] {2, 0});
      var settings =
          new Sampling(
              Optional.of(temperature),
              Optional.of(topK),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              Optional.empty());
      context.ops().sample(logits, settings, tokens, Optional.empty());
      assertThat(tokens.toInts()).containsExactly(1, 0);

      temperature.put(new float[] {1, -1});
      assertThatThrownBy(() -> context.ops().sample(logits, settings, tokens, Optional.empty()))
          .isInstanceOf(NativeException.class)
          .hasMessageContaining("temperature[1] = -1");
    }
  }

  @Test
  void rotatesAndAppendsInOnePass() {
    try (Context context = Context.open(ContextOptions.cpu(1));
        DeviceBuffer memory = context.allocate(4096)) {
      // One token of two query heads and one of keys and values, D = 8; a quarter turn swaps the
      // halves.
      float[] row = new float[32];
      for (int i = 0; i < row.length; i++) {
        row[i] = i + 1;
      }
      Tensor qkv = memory.tensor(DType.F32, 1, 32).put(row);
      Tensor cosSin =
          memory
              .tensor(DType.F32, 2, 8, 256)
              .put(new float[] {1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1});
      Tensor positions = memory.tensor(DType.I32, 1, 1, 512).put(new int[] {1});
      Tensor slots = memory.tensor(DType.I32, 1, 1, 576).put(new int[] {2});
      Tensor keys = memory.tensor(DType.F32, 3, 8, 640).put(new float[24]);
      Tensor values = memory.tensor(DType.F32, 3, 8, 1024).put(new float[24]);
      context
          .ops()
          .ropeAppend(
              qkv.cols(0, 16),
              qkv.cols(16, 8),
              qkv.cols(24, 8),
              cosSin,
              positions,
              keys,
              values,
              slots);
      assertThat(qkv.cols(0, 8).toFloats()).containsExactly(-5, -6, -7, -8, 1, 2, 3, 4);
      assertThat(keys.rows(2, 1).toFloats()).containsExactly(-21, -22, -23, -24, 17, 18, 19, 20);
      assertThat(values.rows(2, 1).toFloats()).containsExactly(25, 26, 27, 28, 29, 30, 31, 32);
      assertThat(keys.rows(0, 2).toFloats()).containsOnly(0);
    }
  }
}
