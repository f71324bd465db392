package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import io.topv.runtime.ffi.topv_context;
import io.topv.runtime.ffi.topv_context_params;
import io.topv.runtime.ffi.topv_event;
import io.topv.runtime.ffi.topv_graph;
import io.topv.runtime.ffi.topv_stream;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * One device of one backend: it owns threads or streams, hands out memory and packed weights, and
 * runs {@link Ops}. Used by one thread at a time; buffers and weights are closed before it.
 */
public final class Context implements AutoCloseable {
  private final ContextOptions options;
  private final Ops ops;
  private topv_context handle;
  private Stream current;
  private FlashAttention attention; // null = the backend itself

  private Context(ContextOptions options, topv_context handle) {
    this.options = options;
    this.handle = handle;
    this.ops = new Ops(this);
  }

  /**
   * Opens a device.
   *
   * @throws NativeException UNSUPPORTED, naming the backend library, attention provider, driver or
   *     device that is missing
   */
  public static Context open(ContextOptions options) {
    NativeLibrary.load();
    try (topv_context_params params = new topv_context_params();
        BytePointer backend = new BytePointer(options.backend(), StandardCharsets.UTF_8);
        BytePointer directory = text(NativeLibrary.searchPath(options.backend()));
        BytePointer isa = text(options.isa().orElse(""));
        PointerPointer<topv_context> out = new PointerPointer<>(1)) {
      params.backend(backend).directory(directory).device(options.device());
      params.threads(options.threads()).isa(isa);
      NativeLibrary.check(topv.topv_context_create(params, out), null);
      Context context = new Context(options, out.get(topv_context.class, 0));
      try {
        context.openAttention();
        return context;
      } catch (RuntimeException e) {
        context.close();
        throw e;
      }
    }
  }

  private static BytePointer text(String value) {
    return value.isEmpty() ? null : new BytePointer(value, StandardCharsets.UTF_8);
  }

  /** Version of the native library. */
  public static String version() {
    NativeLibrary.load();
    return topv.topv_version().getString();
  }

  /** Peak resident memory of this process in bytes, 0 if unknown. */
  public static long peakMemory() {
    NativeLibrary.load();
    return topv.topv_peak_memory();
  }

  public ContextOptions options() {
    return options;
  }

  public Ops ops() {
    return ops;
  }

  /** A JSON object: backend, device, isa, threads, libraries. */
  public String describe() {
    try (LongPointer needed = new LongPointer(1)) {
      check(topv.topv_context_describe(handle(), (BytePointer) null, 0, needed));
      try (BytePointer buffer = new BytePointer(needed.get())) {
        check(topv.topv_context_describe(handle(), buffer, needed.get(), needed));
        return buffer.limit(needed.get() - 1).getString(StandardCharsets.UTF_8); // less the NUL
      }
    }
  }

  /** Whether memory and work are a GPU's: then calls return before the work is done. */
  public boolean isGpu() {
    return !options.backend().equals("cpu");
  }

  /** Whether products of BF16 are at least as fast here as those of F32. */
  public boolean multipliesBf16() {
    return isGpu() || describe().matches("(?s).*\"isa\": ?\"(amx|avx512_bf16)\".*");
  }

  /** Device memory, 64-byte aligned, contents undefined. */
  public DeviceBuffer allocate(long bytes) {
    try (PointerPointer<Pointer> out = new PointerPointer<>(1)) {
      check(topv.topv_alloc(handle(), bytes, out));
      Pointer memory = out.get(Pointer.class, 0);
      return new DeviceBuffer(this, memory == null ? 0 : memory.address(), bytes, true);
    }
  }

  /** Allocates a dense tensor together with its buffer. */
  public DeviceBuffer allocate(DType dtype, long rows, long cols) {
    return allocate(Math.multiplyExact(Math.multiplyExact(rows, cols), dtype.bytes()));
  }

  /** Waits until everything that was queued is done; throws what went wrong in it. */
  public void synchronize() {
    check(topv.topv_stream_synchronize(handle(), stream()));
    if (attention != null) {
      attention.synchronize();
    }
  }

  private void openAttention() {
    if (options.attention().isPresent()) {
      nativeStream(); // refused on the CPU
      attention = new FlashAttention(this, options.attention().get());
    }
  }

  /** Who computes attention; null = the backend itself. */
  FlashAttention attention() {
    return attention;
  }

  /** The {@code CUstream_st*} on which work goes. */
  Pointer nativeStream() {
    try (PointerPointer<Pointer> out = new PointerPointer<>(1)) {
      check(topv.topv_stream_native(handle(), stream(), out));
      return out.get(Pointer.class, 0);
    }
  }

  /** A new queue. */
  public Stream newStream() {
    try (PointerPointer<topv_stream> out = new PointerPointer<>(1)) {
      check(topv.topv_stream_create(handle(), out));
      return new Stream(this, out.get(topv_stream.class, 0));
    }
  }

  /**
   * A native stream of the caller's ({@code CUstream_st*}) that this context may work on.
   *
   * @throws NativeException UNSUPPORTED on the CPU
   */
  public Stream wrapStream(long nativeStream) {
    try (PointerPointer<topv_stream> out = new PointerPointer<>(1)) {
      check(topv.topv_stream_wrap(handle(), new Address(nativeStream), out));
      return new Stream(this, out.get(topv_stream.class, 0));
    }
  }

  /** A new point in the work, not yet recorded. */
  public Event newEvent() {
    try (PointerPointer<topv_event> out = new PointerPointer<>(1)) {
      check(topv.topv_event_create(handle(), out));
      return new Event(this, out.get(topv_event.class, 0));
    }
  }

  /**
   * A native event of the caller's ({@code CUevent_st*}), to be recorded or waited for here.
   *
   * @throws NativeException UNSUPPORTED on the CPU
   */
  public Event wrapEvent(long nativeEvent) {
    try (PointerPointer<topv_event> out = new PointerPointer<>(1)) {
      check(topv.topv_event_wrap(handle(), new Address(nativeEvent), out));
      return new Event(this, out.get(topv_event.class, 0));
    }
  }

  /**
   * What is queued from now on begins when {@code event}, of this or of another context, is
   * reached. The caller does not wait.
   */
  public void waitFor(Event event) {
    check(topv.topv_event_wait(handle(), stream(), event.handle()));
  }

  /**
   * Records what {@code work} asks of this context instead of doing it. It may neither wait nor
   * copy from or to the host.
   *
   * @throws NativeException UNSUPPORTED on the CPU
   */
  public Graph record(Runnable work) {
    check(topv.topv_graph_begin(handle(), stream()));
    try (PointerPointer<topv_graph> out = new PointerPointer<>(1)) {
      try {
        work.run();
      } catch (RuntimeException | Error e) {
        if (topv.topv_graph_end(handle(), stream(), out) == topv.TOPV_OK) {
          topv.topv_graph_destroy(handle(), out.get(topv_graph.class, 0));
        }
        throw e;
      }
      check(topv.topv_graph_end(handle(), stream(), out));
      return new Graph(this, out.get(topv_graph.class, 0));
    }
  }

  /**
   * All work and copies go to {@code stream} from now on; at first they go to one of this context's
   * own. What other streams were given comes before it only where an {@link Event} says so.
   */
  public void use(Stream stream) {
    current = stream;
  }

  /** Whether work goes to this context's own stream. */
  public boolean usesOwnStream() {
    return current == null;
  }

  /** {@code stream} is closing: back to the context's own where it was in use. */
  void leave(Stream stream) {
    if (current == stream) {
      current = null;
    }
  }

  /** Where work goes now; null is the context's own. */
  topv_stream stream() {
    return current == null ? null : current.handle();
  }

  topv_context handle() {
    if (handle == null) {
      throw new IllegalStateException("the context is closed");
    }
    return handle;
  }

  void check(int status) {
    if (status != topv.TOPV_OK) {
      NativeLibrary.check(status, handle);
    }
  }

  @Override
  public void close() {
    if (handle != null) {
      ops.close();
      if (attention != null) {
        attention.close();
      }
      topv.topv_context_destroy(handle);
      handle = null;
    }
  }
}
