package io.topv.cli.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What was measured of one case on one provider, or why nothing was.
 *
 * @param provider cpu, cuda, torch, ...
 * @param problem why there are no numbers
 */
record KernelResult(
    KernelCase of, String provider, Optional<Measured> measured, Optional<String> problem) {

  /**
   * @param error of the check before, see {@link Agreement}
   * @param flops of one run
   * @param bytes that one run must move
   * @param launches kernels per run, where that is known
   */
  record Measured(
      double error,
      Samples warm,
      Samples cold,
      double flops,
      double bytes,
      Optional<Integer> launches,
      Peaks peaks) {}

  /**
   * The most that this provider's device did in the same run.
   *
   * @param flopsPerSecond of a large matrix product of the case's dtype
   * @param bytesPerSecond of a large copy, read and written
   */
  record Peaks(double flopsPerSecond, double bytesPerSecond) {}

  static KernelResult of(KernelCase of, String provider, Measured measured) {
    return new KernelResult(of, provider, Optional.of(measured), Optional.empty());
  }

  static KernelResult problem(KernelCase of, String provider, String why) {
    return new KernelResult(of, provider, Optional.empty(), Optional.of(why));
  }

  /** Median of the warm runs; 0 where nothing was measured. */
  double millis() {
    return measured.map(m -> m.warm().median()).orElse(0.0);
  }

  /** A line that repeats this measurement. */
  String command(double seconds) {
    return "topv bench kernel --case \"%s\" --provider %s --seconds %s"
        .formatted(of, provider, seconds);
  }

  /** All columns by name; numbers are Double or Integer. */
  Map<String, Object> row(Optional<KernelResult> baseline, double seconds) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("routine", of.routine());
    row.put("dtype", of.dtypeName());
    row.put("shape", of.shape());
    row.put("provider", provider);
    measured.ifPresent(
        m -> {
          double best =
              Math.max(
                  m.flops() / m.peaks().flopsPerSecond(), m.bytes() / m.peaks().bytesPerSecond());
          double cold = m.cold().median();
          row.put("error", m.error());
          row.put("warm_us", m.warm().median() * 1e3);
          row.put("warm_p20_us", m.warm().quantile(0.2) * 1e3);
          row.put("warm_p80_us", m.warm().quantile(0.8) * 1e3);
          row.put("noise_percent", m.warm().noise() * 100);
          row.put("cold_us", cold * 1e3);
          row.put("cold_noise_percent", m.cold().noise() * 100);
          row.put("tflops", m.flops() / cold / 1e9);
          row.put("gb_per_s", m.bytes() / cold / 1e6);
          row.put("percent_of_peak", 100 * best / (cold / 1e3));
          m.launches().ifPresent(count -> row.put("launches", count));
          baseline
              .filter(b -> b.millis() > 0 && b != this)
              .ifPresent(b -> row.put("speed_up", b.millis() / millis()));
        });
    problem.ifPresent(why -> row.put("problem", why));
    row.put("command", command(seconds));
    return row;
  }
}
