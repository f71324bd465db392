package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import io.topv.runtime.ffi.topv_weight;
import io.topv.runtime.ffi.topv_weight_params;
import java.util.List;
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
    try (topv_weight_params params = new topv_weight_params();
        PointerPointer<topv_weight> out = new PointerPointer<>(1)) {
      long n = 0;
      for (int i = 0; i < parts.size(); i++) {
        long rows = parts.get(i).bytes() / dtype.bytes() / k;
        params.parts(i, new Address(parts.get(i).address())).rows(i, rows);
        n += rows;
      }
      params.part_count(parts.size()).dtype(dtype.code()).compute(compute.code()).k(k);
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
