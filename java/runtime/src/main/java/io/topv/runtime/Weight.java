package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import io.topv.runtime.ffi.topv_weight;
import io.topv.runtime.ffi.topv_weight_params;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** A matrix [n, k] packed once for {@link Ops#gemm}: {@code n} outputs, {@code k} inputs. */
public final class Weight implements AutoCloseable {
  private final Context context;
  private final DType compute;
  private final long n;
  private final long k;
  private topv_weight handle;

  private Weight(Context context, DType compute, long n, long k, topv_weight handle) {
    this.context = context;
    this.compute = compute;
    this.n = n;
    this.k = k;
    this.handle = handle;
  }

  /**
   * Packs blocks of rows that are stacked, such as Q, K and V.
   *
   * @param parts one to four blocks [rows_i, k] of {@code dtype}; they must outlive the weight
   * @param compute F32 or BF16
   */
  public static Weight pack(
      Context context, List<MemoryRange> parts, DType dtype, long k, DType compute) {
    List<Part> blocks =
        parts.stream()
            .map(p -> new Part(new Address(p.address()), p.bytes() / dtype.bytes() / k))
            .toList();
    return create(context, blocks, false, dtype, k, compute);
  }

  /**
   * The same of blocks that are in the context's device memory, dense and complete.
   *
   * @param parts one to four blocks [rows_i, k] of one dtype; on the CPU they must outlive the
   *     weight
   */
  public static Weight pack(Context context, List<Tensor> parts, DType compute) {
    List<Part> blocks = parts.stream().map(p -> new Part(p.pointer(), p.rows())).toList();
    Tensor first = parts.get(0);
    return create(context, blocks, true, first.dtype(), first.cols(), compute);
  }

  private record Part(Pointer address, long rows) {}

  private static Weight create(
      Context context, List<Part> parts, boolean onDevice, DType dtype, long k, DType compute) {
    try (topv_weight_params params = new topv_weight_params();
        PointerPointer<topv_weight> out = new PointerPointer<>(1)) {
      long n = 0;
      for (int i = 0; i < parts.size(); i++) {
        params.parts(i, parts.get(i).address()).rows(i, parts.get(i).rows());
        n += parts.get(i).rows();
      }
      params.part_count(parts.size()).dtype(dtype.code()).compute(compute.code()).k(k);
      params.on_device(onDevice ? 1 : 0);
      context.check(topv.topv_weight_create(context.handle(), params, out));
      return new Weight(context, compute, n, k, out.get(topv_weight.class, 0));
    }
  }

  /** Rows: outputs of the product. */
  public long n() {
    return n;
  }

  /** Columns: inputs of the product. */
  public long k() {
    return k;
  }

  /** Dtype of the products. */
  public DType compute() {
    return compute;
  }

  topv_weight handle() {
    if (handle == null) {
      throw new IllegalStateException("the weight is closed");
    }
    return handle;
  }

  @Override
  public void close() {
    if (handle != null) {
      context.check(topv.topv_weight_destroy(context.handle(), handle));
      handle = null;
    }
  }
}
