package io.topv.cli.bench;

import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Ops;
import io.topv.runtime.Tensor;
import io.topv.runtime.Weight;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;

/** Tensors of one case, the same numbers each time; closed together. */
final class BenchMemory implements AutoCloseable {
  /** A prime, so that no two rows of a matrix are alike. */
  private static final int PERIOD = 3_999_971;

  private final Context context;
  private final SplittableRandom random = new SplittableRandom(1);
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();

  BenchMemory(Context context) {
    this.context = context;
  }

  Ops ops() {
    return context.ops();
  }

  /** Where to draw a sample of what is checked. */
  int below(int bound) {
    return random.nextInt(bound);
  }

  Tensor empty(DType dtype, long rows, long cols) {
    DeviceBuffer buffer = context.allocate(dtype, rows, cols);
    owned.push(buffer);
    return buffer.tensor(dtype, rows, cols);
  }

  /** Uniform in [-scale, scale); after {@link #PERIOD} the numbers repeat. */
  Tensor random(DType dtype, int rows, int cols, float scale) {
    Tensor result = empty(dtype, rows, cols);
    int count = Math.multiplyExact(rows, cols);
    Tensor line = result.reshape(1, count);
    int done = Math.min(count, PERIOD);
    line.put(values(done, scale));
    while (done < count) {
      int more = Math.min(done, count - done);
      line.cols(0, more).copyTo(line.cols(done, more));
      done += more;
    }
    return result;
  }

  Tensor of(float... values) {
    return empty(DType.F32, 1, values.length).put(values);
  }

  Tensor of(int... values) {
    return empty(DType.I32, 1, values.length).put(values);
  }

  float[] values(int count, float scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = scale * (float) (2 * random.nextDouble() - 1);
    }
    return values;
  }

  /** A matrix of weights; {@code rows} stays as it is. */
  Weight weight(Tensor rows) {
    context.synchronize();
    Weight weight = Weight.pack(context, List.of(rows), rows.dtype());
    owned.push(weight);
    return weight;
  }

  @Override
  public void close() {
    context.synchronize();
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
