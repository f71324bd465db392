package io.topv.engine.schedule;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Decides what the next step runs: a waiting prompt when there is room for it, else one more token
 * of every running sequence. It knows nothing of models; {@code S} is a sequence.
 */
public final class Scheduler<S> {

  /**
   * The whole plan of a step.
   *
   * @param prefill the prompts run, else one token of each
   */
  public record Batch<S>(boolean prefill, List<S> sequences) {}

  private final int maxRunning;
  private final Predicate<S> fits;
  private final ArrayDeque<S> waiting = new ArrayDeque<>();
  private final List<S> running = new ArrayList<>();

  /**
   * @param maxRunning most sequences at once
   * @param fits whether there is room for a waiting sequence now
   */
  public Scheduler(int maxRunning, Predicate<S> fits) {
    this.maxRunning = maxRunning;
    this.fits = fits;
  }

  public void add(S sequence) {
    waiting.add(sequence);
  }

  public boolean isIdle() {
    return waiting.isEmpty() && running.isEmpty();
  }

  public int waiting() {
    return waiting.size();
  }

  public int running() {
    return running.size();
  }

  /**
   * The next step; not empty unless idle, or nothing runs and the first waiting sequence does not
   * fit.
   */
  public Batch<S> next() {
    S first = waiting.peek();
    if (first != null && running.size() < maxRunning && fits.test(first)) {
      running.add(waiting.remove());
      return new Batch<>(true, List.of(first));
    }
    return new Batch<>(false, List.copyOf(running));
  }

  /** A sequence has ended, wherever it is. */
  public void remove(S sequence) {
    if (!running.remove(sequence)) {
      waiting.remove(sequence);
    }
  }
}
