package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;

/**
 * A view of device memory as a matrix [rows, cols] whose rows are {@code stride} elements apart and
 * dense inside. A vector is one row. It owns nothing: the {@link DeviceBuffer} behind it must live.
 */
public final class Tensor {
  private final Context context;
  private final DType dtype;
  private final long rows;
  private final long cols;
  private final long stride;
  private final Address address;

  Tensor(Context context, DType dtype, long address, long rows, long cols, long stride) {
    this.context = context;
    this.dtype = dtype;
    this.rows = rows;
    this.cols = cols;
    this.stride = stride;
    this.address = new Address(address);
  }

  public DType dtype() {
    return dtype;
  }

  public long rows() {
    return rows;
  }

  public long cols() {
    return cols;
  }

  /** Elements from one row to the next. */
  public long stride() {
    return stride;
  }

  Pointer pointer() {
    return address;
  }

  /** Rows {@code from .. from + count}. */
  public Tensor rows(long from, long count) {
    checkRange("rows", from, count, rows);
    return new Tensor(context, dtype, at(from, 0), count, cols, stride);
  }

  /** Columns {@code from .. from + count}. */
  public Tensor cols(long from, long count) {
    checkRange("cols", from, count, cols);
    return new Tensor(context, dtype, at(0, from), rows, count, stride);
  }

  /** The same dense elements as [rows, cols]. */
  public Tensor reshape(long rows, long cols) {
    boolean dense = this.rows == 1 || stride == this.cols;
    if (!dense || rows < 0 || Math.multiplyExact(rows, cols) != this.rows * this.cols) {
      throw new IllegalArgumentException("%s as [%d, %d]".formatted(this, rows, cols));
    }
    return new Tensor(context, dtype, address.address(), rows, cols, cols);
  }

  /** A vector [1, n] as [n, 1]. */
  public Tensor column() {
    return reshape(cols, rows);
  }

  private long at(long row, long col) {
    return address.address() + (row * stride + col) * dtype.bytes();
  }

  private static void checkRange(String what, long from, long count, long limit) {
    if (from < 0 || count < 0 || from > limit - count) {
      throw new IndexOutOfBoundsException("%s [%d, +%d) of %d".formatted(what, from, count, limit));
    }
  }

  /** Uploads {@code values} to the beginning of this dense tensor of F32, or of BF16: rounded. */
  public Tensor put(float[] values) {
    if (dtype == DType.BF16) {
      short[] bits = new short[values.length];
      for (int i = 0; i < bits.length; i++) {
        bits[i] = HalfFloats.floatToBf16(values[i]);
      }
      try (ShortPointer host = new ShortPointer(bits)) {
        copy(address, host, denseBytes(DType.BF16, bits.length), topv.TOPV_HOST_TO_DEVICE);
      }
      return this;
    }
    try (FloatPointer host = new FloatPointer(values)) {
      copy(address, host, denseBytes(DType.F32, values.length), topv.TOPV_HOST_TO_DEVICE);
    }
    return this;
  }

  /** Uploads {@code count} values from {@code offset} to the beginning of this tensor of I32. */
  public Tensor put(int[] values, int offset, int count) {
    try (IntPointer host = new IntPointer(Math.max(1, count))) {
      host.put(values, offset, count);
      copy(address, host, denseBytes(DType.I32, count), topv.TOPV_HOST_TO_DEVICE);
    }
    return this;
  }

  public Tensor put(int[] values) {
    return put(values, 0, values.length);
  }

  /** Uploads host memory that already has this tensor's dtype. */
  public Tensor put(MemoryRange host) {
    if (host.bytes() > rows * cols * dtype.bytes() || (rows > 1 && stride != cols)) {
      throw new IndexOutOfBoundsException(host.bytes() + " bytes into " + this);
    }
    copy(address, new Address(host.address()), host.bytes(), topv.TOPV_HOST_TO_DEVICE);
    return this;
  }

  /** Copies this tensor into {@code dst}: same dtype and shape, strides may differ. */
  public void copyTo(Tensor dst) {
    if (dst.dtype != dtype || dst.rows != rows || dst.cols != cols) {
      throw new IllegalArgumentException("cannot copy " + this + " to " + dst);
    }
    long rowBytes = cols * dtype.bytes();
    if (stride == cols && dst.stride == cols) {
      copy(dst.address, address, rows * rowBytes, topv.TOPV_DEVICE_TO_DEVICE);
      return;
    }
    for (long row = 0; row < rows; row++) {
      Address from = new Address(at(row, 0));
      copy(new Address(dst.at(row, 0)), from, rowBytes, topv.TOPV_DEVICE_TO_DEVICE);
    }
  }

  /** Downloads all elements, row by row, as floats (F32, F16 or BF16). */
  public float[] toFloats() {
    float[] out = new float[Math.toIntExact(rows * cols)];
    if (rows <= 1 || stride == cols) {
      read(0, out, 0, out.length);
      return out;
    }
    for (int row = 0; row < rows; row++) {
      read(row, out, row * (int) cols, (int) cols);
    }
    return out;
  }

  /** {@code count} elements from the beginning of {@code row} on. */
  private void read(long row, float[] out, int offset, int count) {
    if (count == 0) {
      return;
    }
    Address from = new Address(at(row, 0));
    if (dtype == DType.F32) {
      try (FloatPointer host = new FloatPointer(count)) {
        copy(host, from, 4L * count, topv.TOPV_DEVICE_TO_HOST);
        host.get(out, offset, count);
      }
      return;
    }
    short[] bits = new short[count];
    try (ShortPointer host = new ShortPointer(count)) {
      copy(host, from, 2L * count, topv.TOPV_DEVICE_TO_HOST);
      host.get(bits);
    }
    HalfFloats.widen(dtype, bits, out, offset);
  }

  /** Downloads all elements of a dense tensor of I32. */
  public int[] toInts() {
    int[] out = new int[Math.toIntExact(rows * cols)];
    if (out.length > 0) {
      try (IntPointer host = new IntPointer(out.length)) {
        copy(host, address, denseBytes(DType.I32, out.length), topv.TOPV_DEVICE_TO_HOST);
        host.get(out);
      }
    }
    return out;
  }

  private long denseBytes(DType expected, long count) {
    if (dtype != expected || (rows > 1 && stride != cols) || count > rows * cols) {
      throw new IndexOutOfBoundsException(count + " values of " + expected + " for " + this);
    }
    return count * expected.bytes();
  }

  private void copy(Pointer dst, Pointer src, long bytes, int kind) {
    if (bytes > 0) {
      context.check(topv.topv_copy(context.handle(), context.stream(), dst, src, bytes, kind));
    }
  }

  @Override
  public String toString() {
    return "%s[%d, %d]".formatted(dtype, rows, cols);
  }
}
