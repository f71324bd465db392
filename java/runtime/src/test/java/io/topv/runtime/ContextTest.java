package io.topv.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContextTest {
  @Test
  void describesItself() {
    try (Context context = Context.open(ContextOptions.cpu(1))) {
      assertThat(context.describe()).startsWith("{").contains("\"backend\"").contains("oneDNN");
    }
  }

  @Test
  void missingBackendIsAClearError() {
    var options = new ContextOptions("cuda", 0, 0, Optional.empty());
    assertThatThrownBy(() -> Context.open(options))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("cuda");
  }

  @Test
  void copiesThereAndBack() {
    try (Context context = Context.open(ContextOptions.cpu(1));
        DeviceBuffer buffer = context.allocate(DType.F32, 3, 2)) {
      Tensor tensor = buffer.tensor(DType.F32, 3, 2).put(new float[] {1, 2, 3, 4, 5, 6});
      assertThat(tensor.toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(tensor.rows(1, 1).toFloats()).containsExactly(3, 4);
      assertThat(tensor.cols(1, 1).toFloats()).containsExactly(2, 4, 6);
    }
  }

  @Test
  void multipliesByAWeightOfTwoParts(@TempDir Path dir) throws Exception {
    // W = [[1, 0], [0, 2]] as two parts of one row, little-endian float32
    byte[] bytes = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40};
    Path file = Files.write(dir.resolve("w"), bytes);
    try (Context context = Context.open(ContextOptions.cpu(1));
        MappedFile mapped = MappedFile.open(file);
        Weight weight =
            Weight.pack(
                context, List.of(mapped.slice(0, 8), mapped.slice(8, 8)), DType.F32, 2, DType.F32);
        DeviceBuffer buffer = context.allocate(64)) {
      Tensor a = buffer.tensor(DType.F32, 1, 2).put(new float[] {3, 4});
      Tensor c = buffer.tensor(DType.F32, 1, 2, 16);
      context.ops().gemm(a, weight, c, Epilogue.NONE);
      assertThat(c.toFloats()).containsExactly(3, 8);
    }
  }

  @Test
  void wrapsMemoryOfTheCaller() {
    try (Context context = Context.open(ContextOptions.cpu(1));
        DeviceBuffer own = context.allocate(64)) {
      own.tensor(DType.F32, 1, 2).put(new float[] {5, 6});
      try (DeviceBuffer same = DeviceBuffer.wrap(context, own.address(), 8)) {
        assertThat(same.tensor(DType.F32, 1, 2).toFloats()).containsExactly(5, 6);
        assertThatThrownBy(() -> same.tensor(DType.F32, 1, 3))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
      assertThat(own.tensor(DType.F32, 1, 2).toFloats()).containsExactly(5, 6); // not freed
      for (long address : new long[] {0, own.address() + 4}) {
        assertThatThrownBy(() -> DeviceBuffer.wrap(context, address, 8))
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  @Test
  void worksOnAStreamOfItsOwn() {
    try (Context context = Context.open(ContextOptions.cpu(1));
        DeviceBuffer buffer = context.allocate(64)) {
      Tensor x = buffer.tensor(DType.F32, 1, 2);
      try (Stream stream = context.newStream()) {
        context.use(stream);
        context.ops().gelu(x.put(new float[] {-1, 1}), Activation.QUICK_GELU, x);
        stream.synchronize();
        context.synchronize();
      }
      assertThat(x.toFloats()[0]).isBetween(-0.2f, -0.1f); // on the context's own again
    }
  }

  @Test
  void theCpuHasNoNativeStreams() {
    try (Context context = Context.open(ContextOptions.cpu(1))) {
      assertThatThrownBy(() -> context.wrapStream(64))
          .isInstanceOf(NativeException.class)
          .extracting(e -> ((NativeException) e).status())
          .isEqualTo(Status.UNSUPPORTED);
    }
  }

  @Test
  void missingFileIsAnIoErrorThatNamesIt() {
    assertThatThrownBy(() -> MappedFile.open(Path.of("/no/such/file")))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("/no/such/file")
        .extracting(e -> ((NativeException) e).status())
        .isEqualTo(Status.IO_ERROR);
  }

  @Test
  void halfFloatsRoundTrip() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = HalfFloats.bf16ToFloat((short) bits);
      if (!Float.isNaN(value)) {
        assertThat(HalfFloats.floatToBf16(value)).isEqualTo((short) bits);
      }
    }
    assertThat(HalfFloats.f16ToFloat((short) 0x3c00)).isEqualTo(1f);
    assertThat(HalfFloats.f16ToFloat((short) 0x0001)).isEqualTo(0x1p-24f);
    assertThat(HalfFloats.f16ToFloat((short) 0xfbff)).isEqualTo(-65504f);
  }
}
