package io.topv.engine.kv;

import java.util.Arrays;

/**
 * The pages that hold one sequence's tokens in one group of layers, and how many tokens there are.
 */
public final class BlockTable {
  private final PagePool pool;
  private final int pageSize;
  private int[] pages = new int[8];
  private int pageCount;
  private int length;

  BlockTable(PagePool pool, int pageSize) {
    this.pool = pool;
    this.pageSize = pageSize;
  }

  /** Tokens held. */
  public int length() {
    return length;
  }

  public int pageCount() {
    return pageCount;
  }

  public int page(int index) {
    return pages[index];
  }

  /** Slot of token {@code index} in the caches: page * P + offset. */
  public int slot(int index) {
    return pages[index / pageSize] * pageSize + index % pageSize;
  }

  /** Whether the pool has the pages for {@code tokens} more. */
  public boolean canGrow(int tokens) {
    return pagesFor(length + tokens) - pageCount <= pool.available();
  }

  /** Makes room for {@code tokens} more tokens and counts them as held. */
  public void grow(int tokens) {
    int needed = pagesFor(length + tokens);
    if (needed - pageCount > pool.available()) {
      throw new IllegalStateException(
          "KV cache: %d pages needed, %d left".formatted(needed - pageCount, pool.available()));
    }
    if (needed > pages.length) {
      pages = Arrays.copyOf(pages, Math.max(needed, 2 * pages.length));
    }
    while (pageCount < needed) {
      pages[pageCount++] = pool.take();
    }
    length += tokens;
  }

  /** Forgets all tokens from {@code newLength} on and gives their pages back. */
  public void truncate(int newLength) {
    int needed = pagesFor(newLength);
    while (pageCount > needed) {
      pool.give(pages[--pageCount]);
    }
    length = newLength;
  }

  private int pagesFor(int tokens) {
    return (tokens + pageSize - 1) / pageSize;
  }
}
