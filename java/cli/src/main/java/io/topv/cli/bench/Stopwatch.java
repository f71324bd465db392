package io.topv.cli.bench;

import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Event;
import io.topv.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Times work with the device's own events (the CPU's clock there). Cold: caches are flushed before
 * each run. Warm: runs in a row, as many per sample as take a while.
 */
final class Stopwatch implements AutoCloseable {
  private static final int WARM_UP = 3;
  private static final int LEAST_SAMPLES = 10;
  private static final int MOST_SAMPLES = 1000;
  private static final double SAMPLE_MILLIS = 0.2;

  /** Larger than any L2; and than the L3 of most CPUs. */
  private static final long FLUSH_BYTES = 128L << 20;

  private final Context context;
  private final double seconds;
  private final DeviceBuffer flushFrom;
  private final DeviceBuffer flushTo;
  private final Event begin;
  private final Event end;

  /**
   * @param seconds how long to sample, warm and cold each
   */
  Stopwatch(Context context, double seconds) {
    this.context = context;
    this.seconds = seconds;
    this.flushFrom = context.allocate(FLUSH_BYTES);
    this.flushTo = context.allocate(FLUSH_BYTES);
    this.begin = context.newEvent();
    this.end = context.newEvent();
  }

  Samples warm(Runnable run) {
    for (int i = 0; i < WARM_UP; i++) {
      run.run();
    }
    double once = millis(run, 1);
    int runs = (int) Math.max(1, Math.min(1000, Math.ceil(SAMPLE_MILLIS / Math.max(once, 1e-6))));
    return sample(() -> millis(run, runs) / runs);
  }

  Samples cold(Runnable run) {
    return sample(
        () -> {
          flush();
          return millis(run, 1);
        });
  }

  private interface Sampler {
    double millis();
  }

  private Samples sample(Sampler sampler) {
    List<Double> samples = new ArrayList<>();
    long stop = System.nanoTime() + (long) (seconds * 1e9);
    while (samples.size() < MOST_SAMPLES
        && (samples.size() < LEAST_SAMPLES || System.nanoTime() < stop)) {
      samples.add(sampler.millis());
    }
    return new Samples(samples);
  }

  private double millis(Runnable run, int runs) {
    begin.record();
    for (int i = 0; i < runs; i++) {
      run.run();
    }
    end.record();
    return end.millisSince(begin);
  }

  private void flush() {
    long floats = FLUSH_BYTES / Float.BYTES;
    Tensor from = flushFrom.tensor(DType.F32, 1, floats);
    from.copyTo(flushTo.tensor(DType.F32, 1, floats));
  }

  /** Bytes per second that a copy of a large buffer reads and writes. */
  double copyBandwidth() {
    return 2.0 * FLUSH_BYTES / (warm(this::flush).median() / 1e3);
  }

  @Override
  public void close() {
    context.synchronize();
    end.close();
    begin.close();
    flushTo.close();
    flushFrom.close();
  }
}
