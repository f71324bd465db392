package io.topv.engine.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class BlockTableTest {

  /** Whatever is grown and truncated, no slot belongs to two tokens and no page is lost. */
  @Test
  void noSlotIsSharedAndNoPageLost() {
    Random random = new Random(17);
    for (int round = 0; round < 200; round++) {
      int pageSize = 1 + random.nextInt(9);
      PagePool pool = new PagePool(1 + random.nextInt(30));
      List<BlockTable> tables = new ArrayList<>();
      int[] lengths = new int[1 + random.nextInt(5)];
      for (int i = 0; i < lengths.length; i++) {
        tables.add(new BlockTable(pool, pageSize));
      }
      for (int step = 0; step < 60; step++) {
        int which = random.nextInt(lengths.length);
        BlockTable table = tables.get(which);
        if (random.nextInt(4) == 0) {
          lengths[which] = random.nextInt(lengths[which] + 1);
          table.truncate(lengths[which]);
        } else {
          int more = random.nextInt(4 * pageSize);
          boolean fits =
              pages(lengths[which] + more, pageSize) - pages(lengths[which], pageSize)
                  <= pool.available();
          assertThat(table.canGrow(more)).isEqualTo(fits);
          if (fits) {
            table.grow(more);
            lengths[which] += more;
          } else {
            assertThatThrownBy(() -> table.grow(more)).isInstanceOf(IllegalStateException.class);
          }
        }
        check(tables, lengths, pool, pageSize);
      }
      tables.forEach(table -> table.truncate(0));
      assertThat(pool.available()).isEqualTo(pool.pages());
    }
  }

  private static void check(List<BlockTable> tables, int[] lengths, PagePool pool, int pageSize) {
    Set<Integer> slots = new HashSet<>();
    int held = 0;
    for (int i = 0; i < lengths.length; i++) {
      BlockTable table = tables.get(i);
      assertThat(table.length()).isEqualTo(lengths[i]);
      assertThat(table.pageCount()).isEqualTo(pages(lengths[i], pageSize));
      held += table.pageCount();
      for (int t = 0; t < lengths[i]; t++) {
        assertThat(table.slot(t) / pageSize).isEqualTo(table.page(t / pageSize));
        assertThat(table.slot(t)).isBetween(0, pool.pages() * pageSize - 1);
        assertThat(slots.add(table.slot(t))).isTrue();
      }
    }
    assertThat(held + pool.available()).isEqualTo(pool.pages());
  }

  private static int pages(int tokens, int pageSize) {
    return (tokens + pageSize - 1) / pageSize;
  }

  @Test
  void aRefusedGrowthChangesNothing() {
    PagePool pool = new PagePool(3);
    BlockTable table = new BlockTable(pool, 4);
    table.grow(5);
    assertThatThrownBy(() -> table.grow(8))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("KV cache: 2 pages needed, 1 left");
    assertThat(table.length()).isEqualTo(5);
    assertThat(pool.available()).isEqualTo(1);
    table.grow(7);
    assertThat(pool.available()).isZero();
  }
}
