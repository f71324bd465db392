package io.topv.cli.bench;

import java.util.List;

/** Times of the same work, in milliseconds. */
record Samples(List<Double> millis) {
  Samples {
    millis = millis.stream().sorted().toList();
    if (millis.isEmpty()) {
      throw new IllegalArgumentException("no samples");
    }
  }

  double median() {
    return quantile(0.5);
  }

  /** Linear between neighbours. */
  double quantile(double part) {
    double at = part * (millis.size() - 1);
    int below = (int) at;
    int above = Math.min(below + 1, millis.size() - 1);
    return millis.get(below) + (at - below) * (millis.get(above) - millis.get(below));
  }

  /** Standard deviation, as a part of the mean. */
  double noise() {
    double mean = millis.stream().mapToDouble(t -> t).average().orElseThrow();
    double squares = millis.stream().mapToDouble(t -> (t - mean) * (t - mean)).sum();
    return mean == 0 ? 0 : Math.sqrt(squares / millis.size()) / mean;
  }
}
