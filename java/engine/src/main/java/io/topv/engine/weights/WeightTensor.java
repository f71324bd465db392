package io.topv.engine.weights;

import io.topv.engine.TopvException;
import io.topv.engine.config.Text;
import io.topv.runtime.DType;
import io.topv.runtime.HalfFloats;
import io.topv.runtime.MappedFile;
import io.topv.runtime.MemoryRange;
import io.topv.runtime.Tensor;
import java.util.Arrays;
import java.util.Optional;

/** A tensor of a checkpoint, in memory that is valid as long as the checkpoint is open. */
public final class WeightTensor {
  private final String file;
  private final MappedFile mapped;
  private final TensorInfo info;
  private final Optional<Tensor> onDevice;

  WeightTensor(String file, MappedFile mapped, TensorInfo info) {
    this(file, mapped, info, Optional.empty());
  }

  WeightTensor(String file, MappedFile mapped, TensorInfo info, Optional<Tensor> onDevice) {
    this.file = file;
    this.mapped = mapped;
    this.info = info;
    this.onDevice = onDevice;
  }

  /** The elements, row by row, where they are in the device's memory already. */
  public Optional<Tensor> onDevice() {
    return onDevice;
  }

  public TensorInfo info() {
    return info;
  }

  public String name() {
    return info.name();
  }

  public long[] shape() {
    return info.shape();
  }

  /** The file that holds it, as errors call it. */
  public String file() {
    return file;
  }

  /**
   * The type of the elements.
   *
   * @throws TopvException when it is none that weights may have
   */
  public DType dtype() {
    return info.type()
        .weight()
        .orElseThrow(
            () ->
                new TopvException(
                    describe()
                        + ": dtype = "
                        + info.type()
                        + " cannot be read as weights; supported: F32, F16, BF16"));
  }

  /**
   * The elements in the mapped file, row-major and dense.
   *
   * @throws TopvException when the dtype is none that weights may have, or the data is not aligned
   *     to it
   */
  public MemoryRange memory() {
    int elementBytes = dtype().bytes();
    if ((mapped.address() + info.offset()) % elementBytes != 0) {
      throw new TopvException(
          describe()
              + ": its data starts at byte "
              + info.offset()
              + ", which is not a multiple of "
              + elementBytes
              + "; save the file again with the safetensors library");
    }
    return mapped.slice(info.offset(), info.bytes());
  }

  /**
   * A copy of all elements; meant for vectors.
   *
   * @throws TopvException as {@link #memory} does, and for more than 2 GiB
   */
  public float[] toFloats() {
    DType dtype = dtype();
    if (info.bytes() > Integer.MAX_VALUE) {
      throw new TopvException(describe() + ": " + info.bytes() + " bytes are too many to copy");
    }
    return HalfFloats.toFloats(dtype, memory());
  }

  /** "FILE: tensor NAME". */
  String describe() {
    return file + ": tensor " + Text.oneLine(info.name());
  }

  @Override
  public String toString() {
    return describe() + " " + info.type() + Arrays.toString(info.shape());
  }
}
