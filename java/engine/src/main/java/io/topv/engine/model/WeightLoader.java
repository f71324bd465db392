package io.topv.engine.model;

import io.topv.engine.TopvException;
import io.topv.engine.weights.WeightSource;
import io.topv.engine.weights.WeightTensor;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Tensor;
import io.topv.runtime.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Brings tensors of a checkpoint to the device and owns them. What has been read leaves the
 * process's memory at once; the source stays open, because a CPU may read matrices in place.
 */
final class WeightLoader implements AutoCloseable {

  /** A stored matrix [rows, k]. */
  record Rows(String name, long rows) {}

  private final Context context;
  private final WeightSource weights;
  private final DType compute;
  private final List<AutoCloseable> owned = new ArrayList<>();

  WeightLoader(Context context, WeightSource weights, DType compute) {
    this.context = context;
    this.weights = weights;
    this.compute = compute;
  }

  DType compute() {
    return compute;
  }

  Context context() {
    return context;
  }

  /** One matrix of the stacked {@code parts}. */
  Weight matrix(long k, Rows... parts) {
    List<WeightTensor> tensors =
        Arrays.stream(parts).map(part -> weights.require(part.name(), part.rows(), k)).toList();
    return pack(tensors, k);
  }

  /** A convolution kernel [rows, 3, patch, patch] as a matrix [rows, 3 * patch * patch]. */
  Weight patches(String name, long rows, long patch) {
    return pack(List.of(weights.require(name, rows, 3, patch, patch)), 3 * patch * patch);
  }

  private Weight pack(List<WeightTensor> tensors, long k) {
    DType dtype = tensors.get(0).dtype();
    for (WeightTensor tensor : tensors) {
      if (tensor.dtype() != dtype) {
        throw new TopvException(
            "%s: dtype = %s, but %s has %s; matrices that are multiplied together need one dtype"
                .formatted(tensor, tensor.dtype(), tensors.get(0).name(), dtype));
      }
    }
    Weight weight =
        tensors.stream().allMatch(tensor -> tensor.onDevice().isPresent())
            ? Weight.pack(context, onDevice(tensors, k), compute)
            : Weight.pack(
                context, tensors.stream().map(WeightTensor::memory).toList(), dtype, k, compute);
    owned.add(weight);
    weights.release();
    return weight;
  }

  private static List<Tensor> onDevice(List<WeightTensor> tensors, long k) {
    return tensors.stream()
        .map(tensor -> tensor.onDevice().orElseThrow())
        .map(tensor -> tensor.reshape(tensor.rows() * tensor.cols() / k, k))
        .toList();
  }

  /** Stacked vectors as one F32 tensor [1, sum]. */
  Tensor vector(Rows... parts) {
    int total = Arrays.stream(parts).mapToInt(part -> (int) part.rows()).sum();
    float[] values = new float[total];
    int at = 0;
    for (Rows part : parts) {
      float[] floats = floats(weights.require(part.name(), part.rows()));
      System.arraycopy(floats, 0, values, at, floats.length);
      at += floats.length;
    }
    return floats(values, 1, total);
  }

  /** As {@link #vector}, or nothing where the configuration has no bias. */
  Optional<Tensor> bias(boolean present, Rows... parts) {
    return present ? Optional.of(vector(parts)) : Optional.empty();
  }

  /** The host's values of a stored matrix. */
  float[] values(String name, long rows, long cols) {
    return floats(weights.require(name, rows, cols));
  }

  private float[] floats(WeightTensor stored) {
    float[] values = stored.toFloats();
    weights.release();
    return values;
  }

  /** A new F32 tensor. */
  Tensor floats(float[] values, long rows, long cols) {
    DeviceBuffer buffer = context.allocate(DType.F32, rows, cols);
    owned.add(buffer);
    return buffer.tensor(DType.F32, rows, cols).put(values);
  }

  /** A stored matrix as it is, for look-ups. */
  Tensor table(String name, long rows, long cols) {
    WeightTensor stored = weights.require(name, rows, cols);
    DeviceBuffer buffer = context.allocate(stored.dtype(), rows, cols);
    owned.add(buffer);
    Tensor table = buffer.tensor(stored.dtype(), rows, cols);
    stored
        .onDevice()
        .ifPresentOrElse(
            source -> source.reshape(rows, cols).copyTo(table), () -> table.put(stored.memory()));
    weights.release();
    return table;
  }

  @Override
  public void close() {
    for (AutoCloseable resource : owned) {
      try {
        resource.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    owned.clear();
  }
}
