package io.topv.cli;

import java.util.Arrays;

/**
 * Whether stack traces are wanted. It has to be known even where the options were not understood.
 */
final class Verbose {
  private Verbose() {}

  static boolean in(String[] args) {
    return Arrays.asList(args).contains("--verbose");
  }
}
