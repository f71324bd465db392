package io.topv.engine.template;

import java.lang.reflect.RecordComponent;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/** Questions about the names that a piece of a template mentions. */
final class Names {
  private Names() {}

  /** Whether {@code tree} (nodes, or lists of them) reads the variable {@code name}. */
  static boolean used(Object tree, String name) {
    if (tree instanceof Expr.Name n) {
      return n.name().equals(name);
    }
    if (tree instanceof Collection<?> c) {
      return c.stream().anyMatch(x -> used(x, name));
    }
    if (tree instanceof Map<?, ?> m) {
      return used(m.values(), name);
    }
    if (tree instanceof Optional<?> o) {
      return o.isPresent() && used(o.get(), name);
    }
    return tree instanceof Record r && !(r instanceof Expr.Const) && usedInRecord(r, name);
  }

  private static boolean usedInRecord(Record node, String name) {
    for (RecordComponent c : node.getClass().getRecordComponents()) {
      try {
        if (used(c.getAccessor().invoke(node), name)) {
          return true;
        }
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
    }
    return false;
  }
}
