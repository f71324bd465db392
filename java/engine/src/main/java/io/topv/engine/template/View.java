package io.topv.engine.template;

import java.util.List;

/**
 * A Python range or dictionary view: sized, iterable again and again, but not a list.
 *
 * @param kind its Python name
 */
record View(String kind, List<Object> items) {
  boolean isRange() {
    return kind.equals("range");
  }
}
