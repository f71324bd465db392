package io.topv.cli;

import java.util.Arrays;
import picocli.CommandLine.Option;

/** The option that asks for stack traces. It counts even where the others were not understood. */
final class Verbose {
  private static final String NAME = "--verbose";

  @Option(names = NAME, description = "Stack traces with errors.")
  private boolean wanted;

  static boolean in(String[] args) {
    return Arrays.asList(args).contains(NAME);
  }
}
