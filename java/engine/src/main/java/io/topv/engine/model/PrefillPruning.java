package io.topv.engine.model;

import io.topv.engine.kv.BlockTable;
import io.topv.engine.kv.KvCache;
import io.topv.engine.prune.LayerState;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.Selection;
import io.topv.engine.prune.VisualSpan;
import io.topv.runtime.Ops;
import io.topv.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The pruning step of prefill, between the two halves of the pruning layer: chooses tokens,
 * shortens the streams and fills the block tables of the layers above. The MLP works row by row, so
 * running it on survivors only gives them what the full one would (TopV gathers after it).
 */
final class PrefillPruning {

  /** The shortened streams and where their rows belong in the layers above. */
  record Result(LlamaDecoder.Streams streams, PackedRows rows) {}

  private final Workspace workspace;
  private final KvCache cache;
  private final List<int[]> keptRows = new ArrayList<>();
  private Tensor source;
  private long nanos;

  PrefillPruning(Workspace workspace, KvCache cache) {
    this.workspace = workspace;
    this.cache = cache;
  }

  long takeNanos() {
    long taken = nanos;
    nanos = 0;
    return taken;
  }

  private static boolean prunes(SequenceState sequence) {
    return sequence.method().inactive().isEmpty();
  }

  /** Saves what enters the pruning layer: the residual stream is updated in place. */
  void remember(List<SequenceState> batch, Tensor hidden) {
    source = null;
    if (batch.stream().anyMatch(PrefillPruning::prunes)) {
      long start = System.nanoTime();
      source = workspace.tensor("source", hidden.dtype(), hidden.rows(), hidden.cols());
      hidden.copyTo(source);
      nanos += System.nanoTime() - start;
    }
  }

  Result prune(List<SequenceState> batch, LlamaDecoder.Streams streams) {
    long start = System.nanoTime();
    keptRows.clear();
    List<int[]> positions = new ArrayList<>();
    List<BlockTable> tables = new ArrayList<>();
    int row = 0;
    for (SequenceState sequence : batch) {
      int length = sequence.prompt().length;
      List<Selection> selections =
          prunes(sequence) ? select(sequence, streams.normed(), row, length) : List.of();
      int[] kept = survivors(sequence, selections, length);
      boolean compact = sequence.method().policy().positions() == Policy.Positions.COMPACT;
      int next = compact ? kept.length : length;
      sequence.prefilled(selections, length, next);
      sequence.upper().grow(kept.length);
      tables.add(sequence.upper());
      positions.add(compact ? PackedRows.range(kept.length) : kept);
      keptRows.add(kept);
      row += length;
    }
    PackedRows upper =
        PackedRows.of(workspace, "upper", positions, tables, cache.layout().pageSize());
    Result result = new Result(source == null ? streams : gather(batch, streams), upper);
    nanos += System.nanoTime() - start;
    return result;
  }

  private List<Selection> select(SequenceState sequence, Tensor normed, int row, int length) {
    LayerState state =
        new LayerState(workspace.context(), source.rows(row, length), normed.rows(row, length));
    return sequence.method().select(state, sequence.spans());
  }

  /** All text rows and the kept visual ones, ascending, counted from the sequence's first row. */
  private static int[] survivors(SequenceState sequence, List<Selection> selections, int length) {
    if (selections.isEmpty()) {
      return PackedRows.range(length);
    }
    boolean[] pruned = new boolean[length];
    for (int i = 0; i < selections.size(); i++) {
      VisualSpan span = sequence.spans().get(i);
      Arrays.fill(pruned, span.start(), span.start() + span.tokens(), true);
      for (int kept : selections.get(i).kept()) {
        pruned[span.start() + kept] = false;
      }
    }
    int[] rows = new int[length];
    int count = 0;
    for (int i = 0; i < length; i++) {
      if (!pruned[i]) {
        rows[count++] = i;
      }
    }
    return Arrays.copyOf(rows, count);
  }

  private LlamaDecoder.Streams gather(List<SequenceState> batch, LlamaDecoder.Streams streams) {
    int[] index = new int[keptRows.stream().mapToInt(rows -> rows.length).sum()];
    int at = 0;
    int start = 0;
    for (int b = 0; b < batch.size(); b++) {
      for (int row : keptRows.get(b)) {
        index[at++] = start + row;
      }
      start += batch.get(b).prompt().length;
    }
    Ops ops = workspace.context().ops();
    Tensor rows = workspace.ints("survivors", index);
    Tensor hidden = streams.hidden();
    Tensor shortHidden =
        workspace.tensor("hidden.short", hidden.dtype(), index.length, hidden.cols());
    Tensor shortNormed =
        workspace.tensor("normed.short", hidden.dtype(), index.length, hidden.cols());
    ops.rowsGather(hidden, rows, shortHidden);
    ops.rowsGather(streams.normed(), rows, shortNormed);
    return new LlamaDecoder.Streams(shortHidden, shortNormed);
  }

  /** After prefill: drops the pruned tokens from the lower layers too, where the method says so. */
  void finish(List<SequenceState> batch) {
    for (int b = 0; b < batch.size(); b++) {
      SequenceState sequence = batch.get(b);
      if (prunes(sequence) && sequence.method().policy().earlyKv() == Policy.EarlyKv.COMPACT) {
        compact(sequence.lower(), keptRows.get(b));
      }
    }
  }

  private void compact(BlockTable table, int[] kept) {
    int[] from = new int[kept.length];
    int[] to = new int[kept.length];
    for (int i = 0; i < kept.length; i++) {
      from[i] = table.slot(kept[i]);
      to[i] = table.slot(i);
    }
    Tensor source = workspace.ints("compact.from", from);
    Tensor target = workspace.ints("compact.to", to);
    int kvHeads = cache.layout().kvHeads();
    workspace
        .context()
        .ops()
        .kvGather(cache.lowerKeys(), cache.lowerValues(), source, target, kvHeads);
    table.truncate(kept.length);
  }
}
