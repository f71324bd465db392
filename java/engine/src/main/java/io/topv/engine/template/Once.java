package io.topv.engine.template;

import java.util.List;

/** A Python generator: it can be walked once, and then it is empty. */
final class Once {
  private List<Object> items;

  Once(List<Object> items) {
    this.items = items;
  }

  List<Object> take() {
    List<Object> out = items;
    items = List.of();
    return out;
  }

  /** The next item, or null at the end. */
  Object next() {
    if (items.isEmpty()) {
      return null;
    }
    Object head = items.get(0);
    items = items.subList(1, items.size());
    return head;
  }
}
