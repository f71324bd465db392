package io.topv.engine.model;

import io.topv.engine.kv.BlockTable;
import io.topv.runtime.Attention;
import io.topv.runtime.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Where the rows of a step belong, in one group of layers: positions for RoPE, slots for their keys
 * and values, and the borders of the sequences.
 *
 * @param positions I32 [1, T]
 * @param slots I32 [1, T]
 * @param cuSeqlens I32 [1, B + 1]
 * @param maxQuery longest run of rows
 * @param seqlens I32 [1, B]: tokens in the cache
 * @param blockTable I32 [B, max pages]
 */
record PackedRows(
    int rows,
    int batch,
    Tensor positions,
    Tensor slots,
    Tensor cuSeqlens,
    int maxQuery,
    Tensor seqlens,
    int maxKey,
    Tensor blockTable,
    int pageSize) {

  /**
   * Uploads a plan.
   *
   * @param group name of the group, so that both can live at once
   * @param positions per sequence, one position per row; the rows are the last tokens of the
   *     sequence's table
   */
  static PackedRows of(
      Workspace workspace,
      String group,
      List<int[]> positions,
      List<BlockTable> tables,
      int pageSize) {
    int longest = tables.stream().mapToInt(BlockTable::length).max().orElse(0);
    return of(workspace, group, positions, tables, pageSize, longest);
  }

  /**
   * As above.
   *
   * @param maxKey at least the longest sequence; rows of the block table have room for it
   */
  static PackedRows of(
      Workspace workspace,
      String group,
      List<int[]> positions,
      List<BlockTable> tables,
      int pageSize,
      int maxKey) {
    int batch = tables.size();
    int rows = positions.stream().mapToInt(p -> p.length).sum();
    int maxPages = Math.max(1, (maxKey + pageSize - 1) / pageSize);
    int[] flat = new int[rows];
    int[] slots = new int[rows];
    int[] cu = new int[batch + 1];
    int[] seqlens = new int[batch];
    int[] pages = new int[batch * maxPages];
    int at = 0;
    for (int b = 0; b < batch; b++) {
      BlockTable table = tables.get(b);
      int[] of = positions.get(b);
      seqlens[b] = table.length();
      for (int i = 0; i < of.length; i++) {
        flat[at] = of[i];
        slots[at++] = table.slot(table.length() - of.length + i);
      }
      cu[b + 1] = at;
      for (int p = 0; p < table.pageCount(); p++) {
        pages[b * maxPages + p] = table.page(p);
      }
    }
    Tensor[] uploaded = workspace.ints(group, flat, slots, cu, seqlens, pages);
    return new PackedRows(
        rows,
        batch,
        uploaded[0],
        uploaded[1],
        uploaded[2],
        positions.stream().mapToInt(p -> p.length).max().orElse(0),
        uploaded[3],
        maxKey,
        uploaded[4].reshape(batch, maxPages),
        pageSize);
  }

  Attention.Queries queries(Tensor q) {
    return new Attention.Queries(q, cuSeqlens, batch, maxQuery, maxKey);
  }

  Attention.Paged pages(Tensor keys, Tensor values) {
    return new Attention.Paged(keys, values, pageSize, blockTable, seqlens);
  }

  /** 0 .. length - 1: the positions, or the rows, of a whole sequence. */
  static int[] range(int length) {
    int[] range = new int[length];
    Arrays.setAll(range, i -> i);
    return range;
  }
}
