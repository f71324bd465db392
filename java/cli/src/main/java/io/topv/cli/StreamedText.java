package io.topv.cli;

import java.io.PrintStream;
import java.util.function.Consumer;

/** Prints an answer as it grows, without the space that separates it from the prompt. */
final class StreamedText implements Consumer<String> {
  private final PrintStream out;
  private boolean begun;

  StreamedText(PrintStream out) {
    this.out = out;
  }

  @Override
  public void accept(String text) {
    String shown = begun ? text : text.stripLeading();
    begun |= !shown.isEmpty();
    out.print(shown);
    out.flush();
  }
}
