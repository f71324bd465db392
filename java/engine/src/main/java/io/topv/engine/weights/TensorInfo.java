package io.topv.engine.weights;

import java.util.Arrays;

/**
 * Where a tensor lies in its safetensors file.
 *
 * @param shape row-major; empty for a scalar
 * @param offset of the first byte, from the start of the file
 * @param bytes product(shape) * type.bits() / 8
 */
public record TensorInfo(String name, StorageType type, long[] shape, long offset, long bytes) {

  public TensorInfo {
    shape = shape.clone();
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  public long elements() {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  public boolean hasShape(long... expected) {
    return Arrays.equals(shape, expected);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TensorInfo that
        && name.equals(that.name)
        && type == that.type
        && Arrays.equals(shape, that.shape)
        && offset == that.offset
        && bytes == that.bytes;
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return name + " " + type + Arrays.toString(shape) + " at " + offset;
  }
}
