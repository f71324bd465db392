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
  private long moves;

  Workspace(Context context) {
    this.context = context;
  }

  Context context() {
    return context;
  }

  /** Changes whenever memory has come or moved. */
  long moves() {
    return moves;
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
      moves++;
    }
    return buffer.tensor(dtype, rows, cols);
  }

  /** [1, n] of I32. */
  Tensor ints(String name, int[] values) {
    return tensor(name, DType.I32, 1, values.length).put(values);
  }

  /** Uploads arrays together; each becomes [1, n] of I32 and begins at a multiple of 64 bytes. */
  Tensor[] ints(String name, int[]... arrays) {
    int total = 0;
    for (int[] array : arrays) {
      total += padded(array.length);
    }
    int[] all = new int[total];
    int at = 0;
    for (int[] array : arrays) {
      System.arraycopy(array, 0, all, at, array.length);
      at += padded(array.length);
    }
    Tensor uploaded = ints(name, all);
    Tensor[] parts = new Tensor[arrays.length];
    at = 0;
    for (int i = 0; i < parts.length; i++) {
      parts[i] = uploaded.cols(at, arrays[i].length);
      at += padded(arrays[i].length);
    }
    return parts;
  }

  private static int padded(int count) {
    return (count + 15) / 16 * 16;
  }

  @Override
  public void close() {
    buffers.values().forEach(DeviceBuffer::close);
    buffers.clear();
  }
}
