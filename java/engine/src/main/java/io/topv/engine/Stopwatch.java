package io.topv.engine;

/** Milliseconds of the stages of one request. */
final class Stopwatch {
  private final long start = System.nanoTime();
  private double image;
  private double vision;
  private double prefill;
  private double selection;
  private double first;
  private long firstNanos;

  static double millis(long nanos) {
    return nanos / 1e6;
  }

  void image(long nanos) {
    image += millis(nanos);
  }

  void vision(long nanos) {
    vision += millis(nanos);
  }

  void prefill(long nanos, long selectionNanos) {
    prefill += millis(nanos - selectionNanos);
    selection += millis(selectionNanos);
  }

  void firstToken() {
    firstNanos = System.nanoTime();
    first = millis(firstNanos - start);
  }

  Answer.Timings finish() {
    long now = System.nanoTime();
    double decode = firstNanos == 0 ? 0 : millis(now - firstNanos);
    return new Answer.Timings(
        image, vision, prefill, selection, decode, first, millis(now - start));
  }
}
