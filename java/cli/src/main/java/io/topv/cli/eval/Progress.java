package io.topv.cli.eval;

import java.io.PrintStream;
import java.util.Locale;

/** A line on how far the work is, now and then. */
public final class Progress {
  private final PrintStream out;
  private final boolean rewrite;
  private final long everyNanos;
  private long start;
  private long last;
  private int known;
  private int done;
  private int total;

  /**
   * @param rewrite the line replaces the one before, as on a terminal
   */
  public Progress(PrintStream out, boolean rewrite) {
    this.out = out;
    this.rewrite = rewrite;
    this.everyNanos = rewrite ? 500_000_000L : 15_000_000_000L;
  }

  synchronized void begin(int alreadyKnown, int all) {
    known = alreadyKnown;
    done = alreadyKnown;
    total = all;
    start = System.nanoTime();
    last = start;
    out.printf(
        "topv eval: %d answers to find%s%n",
        total - known, known == 0 ? "" : ", " + known + " known from the file");
  }

  synchronized void done(int more) {
    done += more;
    long now = System.nanoTime();
    if (now - last >= everyNanos || done == total) {
      last = now;
      line(now);
    }
  }

  private void line(long now) {
    double seconds = (now - start) / 1e9;
    double rate = (done - known) / Math.max(seconds, 1e-9);
    out.print(rewrite ? "\r" : "");
    out.print(
        String.format(
            Locale.ROOT,
            "topv eval: %d of %d (%.1f %%), %.1f answers/s, %s left   ",
            done,
            total,
            100.0 * done / total,
            rate,
            rate > 0 ? time((total - done) / rate) : "?"));
    out.print(rewrite ? "" : System.lineSeparator());
    out.flush();
  }

  synchronized void end() {
    out.print(rewrite ? System.lineSeparator() : "");
    out.println("topv eval: took " + time((System.nanoTime() - start) / 1e9));
  }

  private static String time(double seconds) {
    long s = Math.round(seconds);
    return s >= 60 ? s / 60 + " min " + s % 60 + " s" : s + " s";
  }
}
