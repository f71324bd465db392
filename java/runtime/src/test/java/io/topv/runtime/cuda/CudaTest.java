package io.topv.runtime.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.runtime.Activation;
import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Event;
import io.topv.runtime.NativeException;
import io.topv.runtime.Status;
import io.topv.runtime.Stream;
import io.topv.runtime.Tensor;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The preset of CUDA, with and without a GPU ({@code -Dtopv.test.backend=cuda}). */
final class CudaTest {
  private static final String GPU = "topv.test.backend";

  @Test
  @DisabledIfSystemProperty(named = GPU, matches = "cuda", disabledReason = "a driver is here")
  void withoutADriverTheErrorNamesWhatIsMissing() {
    for (int i = 0; i < 2; i++) { // the second time as the first
      assertThatThrownBy(CudaDevice::list)
          .isInstanceOf(NativeException.class)
          .hasMessageMatching("no (NVIDIA driver|CUDA runtime) \\(lib.*")
          .extracting(e -> ((NativeException) e).status())
          .isEqualTo(Status.UNSUPPORTED);
    }
  }

  /** Runs only where a GPU is. */
  @Nested
  @Tag("every-device")
  @EnabledIfSystemProperty(named = GPU, matches = "cuda", disabledReason = "no GPU here")
  final class OnAGpu {
    @Test
    void listsTheGpus() {
      List<CudaDevice> devices = CudaDevice.list();
      assertThat(devices).isNotEmpty();
      CudaDevice first = devices.get(0);
      assertThat(first.name()).isNotBlank();
      assertThat(first.capability()).matches("\\d+\\.\\d");
      assertThat(first.freeBytes()).isPositive().isLessThanOrEqualTo(first.totalBytes());
      assertThat(CudaDevice.driverVersion()).matches("\\d+\\.\\d");
    }

    @Test
    void worksOnAStreamOfAnotherLibrary() {
      try (Context context = Context.open(ContextOptions.cuda(0));
          CudaStream theirs = CudaStream.create(0);
          CudaEvent before = new CudaEvent(0);
          CudaEvent after = new CudaEvent(0);
          DeviceBuffer buffer = context.allocate(64)) {
        try (Stream stream = context.wrapStream(theirs.address())) {
          context.use(stream);
          Tensor x = buffer.tensor(DType.F32, 1, 2).put(new float[] {-1, 1});
          before.record(theirs);
          context.ops().gelu(x, Activation.QUICK_GELU, x);
          after.record(theirs);
          after.synchronize();
          assertThat(after.millisSince(before)).isNotNegative();
          assertThat(x.toFloats()[1]).isBetween(0.8f, 0.9f);
        }
        theirs.synchronize(); // still alive
      }
    }

    @Test
    void waitsForEventsOfAnotherLibrary() {
      try (Context context = Context.open(ContextOptions.cuda(0));
          CudaStream theirs = CudaStream.create(0);
          CudaEvent filled = new CudaEvent(0);
          CudaEvent used = new CudaEvent(0);
          DeviceBuffer buffer = context.allocate(64)) {
        Tensor x = buffer.tensor(DType.F32, 1, 2);
        try (Stream stream = context.wrapStream(theirs.address());
            Event ready = context.wrapEvent(filled.address());
            Event done = context.wrapEvent(used.address())) {
          context.use(stream);
          x.put(new float[] {-1, 1});
          filled.record(theirs);
          context.use(null);
          context.waitFor(ready);
          context.ops().gelu(x, Activation.QUICK_GELU, x);
          done.record();
        }
        theirs.waitFor(used);
        theirs.synchronize();
        assertThat(x.toFloats()[1]).isBetween(0.8f, 0.9f);
        assertThat(used.millisSince(filled)).isNotNegative(); // both still alive
      }
    }

    @Test
    void anotherProcessReadsItsMemory() throws Exception {
      try (Context context = Context.open(ContextOptions.cuda(0));
          DeviceBuffer buffer = context.allocate(64)) {
        buffer.tensor(DType.F32, 1, 2).put(new float[] {3, 4});
        context.synchronize();
        String handle = HexFormat.of().formatHex(CudaIpcMemory.export(buffer));
        Process reader =
            new ProcessBuilder(
                    ProcessHandle.current().info().command().orElse("java"),
                    "-cp",
                    System.getProperty("java.class.path"),
                    Reader.class.getName(),
                    handle)
                .redirectErrorStream(true)
                .start();
        assertThat(new String(reader.getInputStream().readAllBytes())).contains("read [3.0, 4.0]");
        assertThat(reader.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(reader.exitValue()).isZero();
      }
    }
  }

  /** The other process. */
  static final class Reader {
    public static void main(String[] args) {
      try (Context context = Context.open(ContextOptions.cuda(0));
          CudaIpcMemory memory = CudaIpcMemory.open(0, HexFormat.of().parseHex(args[0]));
          DeviceBuffer buffer = memory.buffer(context, 8)) {
        float[] values = buffer.tensor(DType.F32, 1, 2).toFloats();
        System.out.println("read " + java.util.Arrays.toString(values));
      }
    }
  }
}
