package io.topv.engine.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** The largest error of each stage, left in target/ for whoever wants the figures. */
final class MeasuredErrors {
  private final Path file;
  private final Map<String, Double> largest = new TreeMap<>();

  MeasuredErrors(String name) {
    this.file =
        Path.of(
            "target",
            name
                + "."
                + TestModel.BACKEND
                + TestModel.ISA.map(isa -> "-" + isa).orElse("")
                + ".tsv");
  }

  synchronized void largest(String stage, double error) {
    largest.merge(stage, error, Math::max);
  }

  synchronized void write() {
    StringBuilder lines = new StringBuilder();
    largest.forEach((stage, error) -> lines.append("%s\t%.3g%n".formatted(stage, error)));
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
