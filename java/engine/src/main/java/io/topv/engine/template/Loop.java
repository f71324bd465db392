package io.topv.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The {@code loop} variable, and the walk over the items behind it. */
final class Loop {
  private final List<Object> items;
  private int index = -1;
  private Optional<List<Object>> lastChanged = Optional.empty();

  Loop(List<Object> items) {
    this.items = items;
  }

  /** The items of a for statement that pass its condition. */
  static List<Object> select(Stmt.For node, Frame f) {
    List<Object> all = Py.iterate(node.items().eval(f));
    f.budget().list(all);
    if (node.filter().isEmpty()) {
      return all;
    }
    List<Object> kept = new ArrayList<>();
    for (Object item : all) {
      f.budget().step();
      Frame inner = f.inner();
      node.target().assign(inner, item);
      if (Py.truth(node.filter().get().eval(inner))) {
        kept.add(item);
      }
    }
    return kept;
  }

  boolean advance() {
    return ++index < items.size();
  }

  Object current() {
    return items.get(index);
  }

  Object attribute(String name) {
    int n = items.size();
    return switch (name) {
      case "index" -> (long) index + 1;
      case "index0" -> (long) index;
      case "revindex" -> (long) n - index;
      case "revindex0" -> (long) n - index - 1;
      case "first" -> index == 0;
      case "last" -> index == n - 1;
      case "length" -> (long) n;
      case "previtem" ->
          index > 0 ? items.get(index - 1) : new Undefined("there is no previous item");
      case "nextitem" ->
          index < n - 1 ? items.get(index + 1) : new Undefined("there is no next item");
      case "cycle" -> Callable.of("loop.cycle", (f, args) -> cycle(args));
      case "changed" -> Callable.of("loop.changed", (f, args) -> changed(args));
      default -> throw new TemplateError("unsupported attribute loop." + name);
    };
  }

  private Object cycle(Args args) {
    if (args.positional().isEmpty()) {
      throw new TemplateError("loop.cycle needs values");
    }
    return args.positional().get(index % args.positional().size());
  }

  private boolean changed(Args args) {
    boolean same = lastChanged.isPresent() && Py.equal(lastChanged.get(), args.positional());
    lastChanged = Optional.of(args.positional());
    return !same;
  }
}
