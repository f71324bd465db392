package io.topv.engine.model;

import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Tensor;
import java.util.HashMap;
import java.util.Map;

/**
 * Activations: one buffer per name that grows to the largest use and is reused by every step. A
 * tensor is valid until the same name is asked for again.
 */
final class Workspace implements AutoCloseable {
  private final Context context;
  private final Map<String, DeviceBuffer> buffers = new HashMap<>();

  Workspace(Context context) {
    this.context = context;
  }

  Context context() {
    return context;
  }

  Tensor tensor(String name, DType dtype, long rows, long cols) {
    long bytes = Math.max(64, rows * cols * dtype.bytes());
    DeviceBuffer buffer = buffers.get(name);
    if (buffer == null || buffer.bytes() < bytes) {
      if (buffer != null) {
        buffer.close();
      }
      // An eighth more, so that a growing batch does not allocate at every step.
      buffer = context.allocate(bytes + bytes / 8);
      buffers.put(name, buffer);
    }
    return buffer.tensor(dtype, rows, cols);
  }

  /** [1, n] of I32. */
  Tensor ints(String name, int[] values) {
    return tensor(name, DType.I32, 1, values.length).put(values);
  }

  @Override
  public void close() {
    buffers.values().forEach(DeviceBuffer::close);
    buffers.clear();
  }
}
