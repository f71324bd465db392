package io.topv.engine;

import io.topv.engine.sample.Draw;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Sampling;
import io.topv.runtime.Tensor;
import java.util.List;
import java.util.Optional;

/** Chooses tokens where the logits are, so that on a GPU only the tokens travel. */
public final class DeviceSampler implements AutoCloseable {
  private final Context context;
  private final DeviceBuffer floats; // temperatures, top-p, min-p
  private final DeviceBuffer ints; // tokens, top-k, then seeds and counters of two words each
  private final int most;

  /** For at most {@code most} rows at once. */
  public DeviceSampler(Context context, int most) {
    this.context = context;
    this.most = most;
    this.floats = context.allocate(DType.F32, 3, most);
    this.ints = context.allocate(DType.I32, 6, most);
  }

  /** One token per row of {@code logits}. */
  int[] choose(Tensor logits, List<Draw> draws) {
    boolean greedy = draws.stream().allMatch(draw -> draw.temperature() == 0);
    return greedy ? best(logits) : sample(logits, upload(draws));
  }

  /** The most likely token of each row of {@code logits}. */
  public int[] best(Tensor logits) {
    return sample(logits, Sampling.GREEDY);
  }

  private int[] sample(Tensor logits, Sampling how) {
    Tensor tokens = ints.tensor(DType.I32, 1, logits.rows());
    context.ops().sample(logits, how, tokens, Optional.empty());
    return tokens.toInts();
  }

  private Sampling upload(List<Draw> draws) {
    int rows = draws.size();
    float[] reals = new float[2 * most + rows];
    int[] whole = new int[3 * most + 2 * rows];
    for (int i = 0; i < rows; i++) {
      Draw draw = draws.get(i);
      reals[i] = (float) draw.temperature();
      reals[most + i] = Math.max(Float.MIN_NORMAL, (float) draw.topP());
      reals[2 * most + i] = (float) draw.minP();
      whole[i] = draw.topK();
      words(whole, most + 2 * i, draw.seed());
      words(whole, 3 * most + 2 * i, draw.counter());
    }
    floats.tensor(DType.F32, 1, reals.length).put(reals);
    Tensor settings = ints.tensor(DType.I32, 1, 5L * most, 4L * most);
    settings.put(whole);
    return new Sampling(
        Optional.of(floats.tensor(DType.F32, 1, rows)),
        Optional.of(settings.cols(0, rows)),
        Optional.of(floats.tensor(DType.F32, 1, rows, 4L * most)),
        Optional.of(floats.tensor(DType.F32, 1, rows, 8L * most)),
        Optional.of(settings.cols(most, 2L * rows).reshape(rows, 2)),
        Optional.of(settings.cols(3L * most, 2L * rows).reshape(rows, 2)));
  }

  /** Low word first. */
  private static void words(int[] to, int at, long value) {
    to[at] = (int) value;
    to[at + 1] = (int) (value >>> 32);
  }

  @Override
  public void close() {
    floats.close();
    ints.close();
  }
}
