package io.topv.engine.kv;

import java.util.ArrayDeque;

/** Hands out page numbers of one group of layers, lowest first. */
final class PagePool {
  private final int pages;
  private final ArrayDeque<Integer> free = new ArrayDeque<>();

  PagePool(int pages) {
    this.pages = pages;
    for (int page = 0; page < pages; page++) {
      free.add(page);
    }
  }

  int pages() {
    return pages;
  }

  int available() {
    return free.size();
  }

  /** The caller has asked {@link #available} before. */
  int take() {
    return free.remove();
  }

  void give(int page) {
    free.addFirst(page);
  }
}
