package io.topv.engine.template;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The arguments of a call, filter or test. */
record Args(List<Object> positional, Map<String, Object> named) {
  static final Args NONE = new Args(List.of(), Map.of());

  /** Checks count and names against the parameters of {@code callee}. */
  Args expect(String callee, String... parameters) {
    if (positional.size() > parameters.length) {
      throw new TemplateError(
          callee + " takes at most " + parameters.length + " arguments, not " + positional.size());
    }
    List<String> known = Arrays.asList(parameters);
    for (String name : named.keySet()) {
      int at = known.indexOf(name);
      if (at < 0) {
        throw new TemplateError(callee + " has no argument '" + name + "'");
      }
      if (at < positional.size()) {
        throw new TemplateError(callee + " got argument '" + name + "' twice");
      }
    }
    return this;
  }

  /** Argument at this position or of this name; {@code otherwise} where it is absent. */
  Object get(int position, String name, Object otherwise) {
    if (position < positional.size()) {
      return positional.get(position);
    }
    return named.getOrDefault(name, otherwise);
  }

  Object required(String callee, int position, String name) {
    Object value = get(position, name, null);
    if (value == null) {
      throw new TemplateError(callee + " needs the argument '" + name + "'");
    }
    return value;
  }

  Args dropFirst() {
    return new Args(positional.subList(1, positional.size()), named);
  }
}
