package io.topv.engine.template;

import java.util.List;

/** Counts down the {@link Limits} of one rendering. */
final class Budget {
  private final Limits limits;
  private long steps;
  private int macros;

  Budget(Limits limits) {
    this.limits = limits;
    this.steps = limits.steps();
  }

  void step() {
    charge(1);
  }

  void charge(long n) {
    steps -= n;
    if (steps < 0) {
      throw new TemplateError("the template does not end within " + limits.steps() + " steps");
    }
  }

  /** Passes a string on if it is not too long; long strings cost steps. */
  String text(String s) {
    length(s.length());
    return s;
  }

  /** Announces a string of this length, before it is made. */
  void length(long characters) {
    grow(0, characters);
  }

  /** Announces that a text of {@code present} characters gets {@code more}. */
  void grow(long present, long more) {
    if (present + more > limits.output()) {
      throw new TemplateError("text longer than " + limits.output() + " characters");
    }
    charge(more >> 4);
  }

  List<Object> list(List<Object> items) {
    charge(items.size() >> 2);
    return items;
  }

  void enterMacro(String name) {
    if (++macros > limits.macroDepth()) {
      throw new TemplateError(
          "macro '" + name + "' calls itself more than " + limits.macroDepth() + " deep");
    }
  }

  void leaveMacro() {
    macros--;
  }
}
