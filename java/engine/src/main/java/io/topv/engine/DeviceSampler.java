package io.topv.engine;

import io.topv.engine.sample.Draw;
import io.topv.engine.sample.Penalty;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Penalties;
import io.topv.runtime.Sampling;
import io.topv.runtime.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Chooses tokens where the logits are, so that on a GPU only the tokens travel. */
public final class DeviceSampler implements AutoCloseable {
  private final Context context;
  private final DeviceBuffer floats; // temperatures, top-p, min-p
  private final DeviceBuffer ints; // tokens, top-k, then seeds and counters of two words each
  private final int most;
  private DeviceBuffer seen; // tokens that are penalized, then the settings of all rows

  /** For at most {@code most} rows at once. */
  public DeviceSampler(Context context, int most) {
    this.context = context;
    this.most = most;
    this.floats = context.allocate(DType.F32, 3, most);
    this.ints = context.allocate(DType.I32, 6, most);
    this.seen = context.allocate(1 << 16);
  }

  /** One token per row of {@code logits}, which are penalized on the way. */
  int[] choose(Tensor logits, List<Draw> draws) {
    penalize(logits, draws);
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

  private void penalize(Tensor logits, List<Draw> draws) {
    int count = draws.stream().mapToInt(draw -> draw.penalty().times().size()).sum();
    if (count == 0) {
      return;
    }
    int rows = draws.size();
    int[] entries = new int[3 * count]; // rows, tokens, times
    float[] settings = new float[3 * rows]; // repetition, presence, frequency
    int used = 0;
    for (int row = 0; row < rows; row++) {
      Penalty penalty = draws.get(row).penalty();
      settings[row] = penalty.repetition();
      settings[rows + row] = penalty.presence();
      settings[2 * rows + row] = penalty.frequency();
      for (Map.Entry<Integer, Integer> times : penalty.times().entrySet()) {
        if (times.getKey() >= 0 && times.getKey() < logits.cols()) {
          entries[used] = row;
          entries[count + used] = times.getKey();
          entries[2 * count + used++] = times.getValue();
        }
      }
    }
    long bytes = 4L * (entries.length + settings.length);
    if (bytes > seen.bytes()) {
      seen.close();
      seen = context.allocate(2 * bytes);
    }
    Tensor tokens = seen.tensor(DType.I32, 1, entries.length).put(entries);
    Tensor all = seen.tensor(DType.F32, 1, settings.length, 4L * entries.length).put(settings);
    context
        .ops()
        .penalize(
            logits,
            new Penalties(
                tokens.cols(0, used),
                tokens.cols(count, used),
                tokens.cols(2L * count, used),
                all.cols(0, rows),
                all.cols(rows, rows),
                all.cols(2L * rows, rows)));
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
    seen.close();
  }
}
