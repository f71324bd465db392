package io.topv.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Contexts that share memory and streams, on the emulated GPU, which does work as late as it may.
 * With those of CUDA itself: {@code cuda.CudaTest}.
 */
class InteropTest {
  private static Context open() {
    return Context.open(new ContextOptions("simt", 0, 0, Optional.empty()));
  }

  /** y = gelu(x), and what it is of {-1, 1}. */
  private static void gelu(Context context, Tensor x, Tensor y) {
    context.ops().gelu(x, Activation.QUICK_GELU, y);
  }

  private static void assertGelu(float[] values) {
    assertThat(values[0]).isBetween(-0.2f, -0.1f);
    assertThat(values[1]).isBetween(0.8f, 0.9f);
  }

  @Test
  void worksOnTheStreamAndTheMemoryOfAnother() {
    try (Context theirs = open();
        Context ours = open();
        DeviceBuffer memory = theirs.allocate(64)) {
      Tensor x = memory.tensor(DType.F32, 1, 2).put(new float[] {-1, 1}); // queued there
      try (Stream stream = ours.wrapStream(theirs.nativeStream().address());
          DeviceBuffer same = DeviceBuffer.wrap(ours, memory.address(), memory.bytes())) {
        ours.use(stream);
        assertThat(ours.usesOwnStream()).isFalse();
        Tensor y = same.tensor(DType.F32, 1, 2);
        gelu(ours, y, y);
      }
      assertThat(ours.usesOwnStream()).isTrue();
      assertGelu(x.toFloats());
      theirs.synchronize(); // the stream is alive
    }
  }

  @Test
  void eventsOrderTheStreamsOfTwoContexts() {
    try (Context theirs = open();
        Context ours = open();
        DeviceBuffer memory = theirs.allocate(64);
        DeviceBuffer result = ours.allocate(64);
        Event filled = theirs.newEvent()) {
      Tensor x = memory.tensor(DType.F32, 1, 2).put(new float[] {-1, 1});
      gelu(theirs, x, x);
      filled.record();
      ours.waitFor(filled);
      Tensor y = result.tensor(DType.F32, 1, 2);
      DeviceBuffer.wrap(ours, memory.address(), 8).tensor(DType.F32, 1, 2).copyTo(y);
      assertGelu(y.toFloats());
    }
  }

  @Test
  void theCpuHasNeither() {
    try (Context context = Context.open(ContextOptions.cpu(1))) {
      assertThatThrownBy(() -> context.wrapEvent(64))
          .isInstanceOf(NativeException.class)
          .hasMessageContaining("no native events");
      try (Event event = context.newEvent()) { // its own order anything, trivially
        event.record();
        context.waitFor(event);
      }
    }
  }
}
