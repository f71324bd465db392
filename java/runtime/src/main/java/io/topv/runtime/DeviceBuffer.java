package io.topv.runtime;

import io.topv.runtime.ffi.topv;

/** Owns a piece of device memory. Tensors are views of it and end with it. */
public final class DeviceBuffer implements AutoCloseable {
  private final Context context;
  private final long bytes;
  private long address;

  DeviceBuffer(Context context, long address, long bytes) {
    this.context = context;
    this.address = address;
    this.bytes = bytes;
  }

  public long bytes() {
    return bytes;
  }

  /** A dense view [rows, cols] that begins {@code byteOffset} bytes into this buffer. */
  public Tensor tensor(DType dtype, long rows, long cols, long byteOffset) {
    long needed = Math.multiplyExact(Math.multiplyExact(rows, cols), dtype.bytes());
    if (rows < 0 || cols < 0 || byteOffset < 0 || byteOffset > bytes - needed) {
      throw new IndexOutOfBoundsException(
          "tensor [%d, %d] of %s at byte %d does not fit into %d bytes"
              .formatted(rows, cols, dtype, byteOffset, bytes));
    }
    if (address == 0 && bytes > 0) {
      throw new IllegalStateException("the buffer is closed");
    }
    return new Tensor(context, dtype, address + byteOffset, rows, cols, cols);
  }

  /** A dense view [rows, cols] of the beginning of this buffer. */
  public Tensor tensor(DType dtype, long rows, long cols) {
    return tensor(dtype, rows, cols, 0);
  }

  @Override
  public void close() {
    if (address != 0) {
      context.check(topv.topv_free(context.handle(), new Address(address)));
      address = 0;
    }
  }
}
