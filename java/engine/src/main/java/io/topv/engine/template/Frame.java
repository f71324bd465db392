package io.topv.engine.template;

import java.time.Clock;
import java.util.HashMap;
import java.util.Map;

/** Where a piece of a template runs: its variables, its output and the limits on both. */
final class Frame {
  private final Frame parent;
  private final Map<String, Object> variables;
  private final StringBuilder out;
  private final Budget budget;
  private final Clock clock;

  /** The outermost frame, over the variables given to the template. */
  Frame(Map<String, Object> variables, Budget budget, Clock clock) {
    this(null, variables, new StringBuilder(), budget, clock);
  }

  private Frame(
      Frame parent, Map<String, Object> variables, StringBuilder out, Budget budget, Clock clock) {
    this.parent = parent;
    this.variables = variables;
    this.out = out;
    this.budget = budget;
    this.clock = clock;
  }

  /** An inner scope that writes to the same output. */
  Frame inner() {
    return new Frame(this, new HashMap<>(), out, budget, clock);
  }

  /** An inner scope with an output of its own. */
  Frame capture() {
    return new Frame(this, new HashMap<>(), new StringBuilder(), budget, clock);
  }

  Object lookup(String name) {
    for (Frame f = this; f != null; f = f.parent) {
      Object value = f.variables.get(name);
      if (value != null) {
        return value;
      }
    }
    Object global = Functions.GLOBALS.get(name);
    return global != null ? global : new Undefined("'" + name + "'");
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  void write(String text) {
    budget.grow(out.length(), text.length());
    out.append(text);
  }

  String output() {
    return out.toString();
  }

  Budget budget() {
    return budget;
  }

  Clock clock() {
    return clock;
  }
}
