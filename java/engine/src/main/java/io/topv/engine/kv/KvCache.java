package io.topv.engine.kv;

import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values of all layers in pages of P tokens. Layers form two groups: the lower ones, up to
 * the pruning layer, hold every token; the upper ones hold the survivors. Each group has its own
 * pool, so that what pruning saves is free for other sequences.
 */
public final class KvCache implements AutoCloseable {

  /**
   * Sizes of a cache.
   *
   * @param layers L
   * @param lowerLayers layers of the lower group, 0 .. L
   * @param kvHeads Hkv
   * @param headDim D
   * @param pageSize P
   * @param lowerPages pages of each lower layer
   * @param upperPages pages of each upper layer
   */
  public record Layout(
      int layers,
      int lowerLayers,
      int kvHeads,
      int headDim,
      int pageSize,
      int lowerPages,
      int upperPages,
      DType dtype) {

    /** Bytes of all keys and values. */
    public long bytes() {
      long row = 2L * kvHeads * headDim * dtype.bytes() * pageSize;
      return row * ((long) lowerLayers * lowerPages + (long) (layers - lowerLayers) * upperPages);
    }
  }

  private final Layout layout;
  private final List<DeviceBuffer> buffers = new ArrayList<>();
  private final List<Tensor> keys = new ArrayList<>();
  private final List<Tensor> values = new ArrayList<>();
  private final PagePool lower;
  private final PagePool upper;

  public KvCache(Context context, Layout layout) {
    this.layout = layout;
    this.lower = new PagePool(layout.lowerPages());
    this.upper = new PagePool(layout.upperPages());
    try {
      allocate(context);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void allocate(Context context) {
    long row = (long) layout.kvHeads() * layout.headDim();
    for (int layer = 0; layer < layout.layers(); layer++) {
      long slots = (long) pool(layer).pages() * layout.pageSize();
      for (List<Tensor> cache : List.of(keys, values)) {
        DeviceBuffer buffer = context.allocate(layout.dtype(), slots, row);
        buffers.add(buffer);
        cache.add(buffer.tensor(layout.dtype(), slots, row));
      }
    }
  }

  private PagePool pool(int layer) {
    return layer < layout.lowerLayers() ? lower : upper;
  }

  public Layout layout() {
    return layout;
  }

  /** [slots, Hkv * D] of one layer. */
  public Tensor keys(int layer) {
    return keys.get(layer);
  }

  /** [slots, Hkv * D] of one layer. */
  public Tensor values(int layer) {
    return values.get(layer);
  }

  /** Keys of the lower layers. */
  public List<Tensor> lowerKeys() {
    return keys.subList(0, layout.lowerLayers());
  }

  /** Values of the lower layers. */
  public List<Tensor> lowerValues() {
    return values.subList(0, layout.lowerLayers());
  }

  /** Pages that no sequence holds, in the lower layers. */
  public int freeLowerPages() {
    return lower.available();
  }

  /** Pages that no sequence holds, in the upper layers. */
  public int freeUpperPages() {
    return upper.available();
  }

  /** An empty sequence's pages in the lower layers. */
  public BlockTable newLowerTable() {
    return new BlockTable(lower, layout.pageSize());
  }

  /** An empty sequence's pages in the upper layers. */
  public BlockTable newUpperTable() {
    return new BlockTable(upper, layout.pageSize());
  }

  @Override
  public void close() {
    buffers.forEach(DeviceBuffer::close);
    buffers.clear();
  }
}
