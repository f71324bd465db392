package io.topv.runtime;

import io.topv.runtime.ffi.topv;

/** A piece of device memory. Tensors are views of it and end with it. */
public final class DeviceBuffer implements AutoCloseable {
  private final Context context;
  private final long bytes;
  private final boolean owned;
  private long address;

  DeviceBuffer(Context context, long address, long bytes, boolean owned) {
    this.context = context;
    this.address = address;
    this.bytes = bytes;
    this.owned = owned;
  }

  /**
   * Memory of the context's device that somebody else made and frees, after this is closed.
   *
   * @param address the device pointer, 64-byte aligned
   */
  public static DeviceBuffer wrap(Context context, long address, long bytes) {
    if (address == 0 || address % 64 != 0 || bytes < 0) {
      throw new IllegalArgumentException(
          "cannot wrap %d bytes at address 0x%x: it is not aligned to 64"
              .formatted(bytes, address));
    }
    return new DeviceBuffer(context, address, bytes, false);
  }

  /** The device pointer. */
  public long address() {
    return address;
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
    if (address != 0 && owned) {
      context.check(topv.topv_free(context.handle(), new Address(address)));
    }
    address = 0;
  }
}
