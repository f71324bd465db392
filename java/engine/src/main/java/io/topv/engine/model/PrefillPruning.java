package io.topv.engine.model;

import io.topv.engine.kv.BlockTable;
import io.topv.engine.kv.KvCache;
import io.topv.engine.prune.Chosen;
import io.topv.engine.prune.LayerState;
import io.topv.engine.prune.Policy;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.VisualSpan;
import io.topv.runtime.DType;
import io.topv.runtime.Ops;
import io.topv.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The pruning step of prefill, between the two halves of the pruning layer: chooses tokens,
 * shortens the streams and fills the block tables of the layers above. The MLP works row by row, so
 * running it on survivors only gives them what the full one would (TopV gathers after it).
 *
 * <p>How many tokens stay is known beforehand, so the host plans sizes, slots and text rows at
 * once; which ones stay is only ever looked up on the device. Nothing waits before {@link #finish}.
 */
final class PrefillPruning {

  /** The shortened streams and where their rows belong in the layers above. */
  record Result(LlamaDecoder.Streams streams, PackedRows rows) {}

  /**
   * One sequence's part of the survivors.
   *
   * @param start its first row before pruning
   * @param from its first row after it
   * @param count its rows after it
   */
  private record Part(
      SequenceState sequence, Optional<Chosen> chosen, int start, int from, int count) {

    int length() {
      return sequence.prompt().length;
    }

    List<VisualSpan> prunedSpans() {
      return chosen.isPresent() ? sequence.spans() : List.of();
    }

    boolean compactsPositions() {
      return sequence.method().policy().positions() == Policy.Positions.COMPACT;
    }

    boolean compactsLowerLayers() {
      return chosen.isPresent() && sequence.method().policy().earlyKv() == Policy.EarlyKv.COMPACT;
    }
  }

  /**
   * An image's place among the survivors.
   *
   * @param row the first of its {@code tokens} rows before pruning
   * @param kept I32 [1, K]: which of them stay
   * @param at where they go
   */
  private record Gap(int row, int tokens, Tensor kept, int at) {
    long width() {
      return kept.cols();
    }
  }

  private final Workspace workspace;
  private final KvCache cache;
  private final List<Part> parts = new ArrayList<>();
  private Tensor source;
  private PackedRows lower;
  private Tensor survivors; // I32 [1, rows that stay]: their rows before pruning
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

  Result prune(List<SequenceState> batch, LlamaDecoder.Streams streams, PackedRows lowerRows) {
    long start = System.nanoTime();
    lower = lowerRows;
    parts.clear();
    int row = 0;
    int from = 0;
    for (SequenceState sequence : batch) {
      int length = sequence.prompt().length;
      Optional<Chosen> chosen =
          prunes(sequence)
              ? Optional.of(select(sequence, streams.normed(), row, length))
              : Optional.empty();
      int count = length - (chosen.isPresent() ? removed(sequence) : 0);
      parts.add(new Part(sequence, chosen, row, from, count));
      sequence.upper().grow(count);
      row += length;
      from += count;
    }
    PackedRows upper =
        PackedRows.of(
            workspace,
            "upper",
            parts.stream().map(part -> PackedRows.range(part.count())).toList(),
            parts.stream().map(part -> part.sequence().upper()).toList(),
            cache.layout().pageSize());
    LlamaDecoder.Streams shortened = streams;
    if (source != null) {
      survivors = survivors(row, from);
      keepPositions(upper);
      shortened = gather(streams);
    }
    nanos += System.nanoTime() - start;
    return new Result(shortened, upper);
  }

  private Chosen select(SequenceState sequence, Tensor normed, int row, int length) {
    String prefix = "prune." + parts.size() + ".";
    LayerState state =
        new LayerState(
            workspace.context(),
            (name, dtype, rows, cols) -> workspace.tensor(prefix + name, dtype, rows, cols),
            source.rows(row, length),
            normed.rows(row, length));
    return sequence.method().select(state, sequence.spans());
  }

  private static int removed(SequenceState sequence) {
    PruningMethod method = sequence.method();
    return sequence.spans().stream().mapToInt(span -> span.tokens() - method.kept(span)).sum();
  }

  /** All text rows and the kept visual ones of the batch, ascending. */
  private Tensor survivors(int rows, int count) {
    int[] text = new int[count];
    List<Gap> gaps = new ArrayList<>();
    for (Part part : parts) {
      int row = 0;
      int at = part.from();
      int chosen = 0;
      for (VisualSpan span : part.prunedSpans()) {
        at = fill(text, at, part.start() + row, span.start() - row);
        Tensor kept =
            part.chosen().orElseThrow().kept().cols(chosen, part.sequence().method().kept(span));
        gaps.add(new Gap(part.start() + span.start(), span.tokens(), kept, at));
        chosen += (int) kept.cols();
        at += (int) kept.cols();
        row = span.start() + span.tokens();
      }
      fill(text, at, part.start() + row, part.length() - row);
    }
    Tensor index = workspace.ints("survivors", text);
    Tensor numbers = workspace.ints("rows", PackedRows.range(rows));
    for (Gap gap : gaps) {
      lookUp(numbers.cols(gap.row(), gap.tokens()), gap.kept(), index.cols(gap.at(), gap.width()));
    }
    return index;
  }

  /** {@code first}, first + 1 .. from {@code at} on; the end of what was written. */
  private static int fill(int[] numbers, int at, int first, int count) {
    for (int i = 0; i < count; i++) {
      numbers[at + i] = first + i;
    }
    return at + count;
  }

  /** {@code to[i] = table[index[i]]}, all of them I32 [1, n]. */
  private void lookUp(Tensor table, Tensor index, Tensor to) {
    workspace.context().ops().rowsGather(table.column(), index, to.column());
  }

  /** Where survivors keep their positions, those are the ones that they have below. */
  private void keepPositions(PackedRows upper) {
    for (Part part : parts) {
      if (part.chosen().isPresent() && !part.compactsPositions()) {
        Tensor rows = survivors.cols(part.from(), part.count());
        lookUp(lower.positions(), rows, upper.positions().cols(part.from(), part.count()));
      }
    }
  }

  private LlamaDecoder.Streams gather(LlamaDecoder.Streams streams) {
    Ops ops = workspace.context().ops();
    Tensor hidden = streams.hidden();
    Tensor shortHidden =
        workspace.tensor("hidden.short", hidden.dtype(), survivors.cols(), hidden.cols());
    Tensor shortNormed =
        workspace.tensor("normed.short", hidden.dtype(), survivors.cols(), hidden.cols());
    ops.rowsGather(hidden, survivors, shortHidden);
    ops.rowsGather(streams.normed(), survivors, shortNormed);
    return new LlamaDecoder.Streams(shortHidden, shortNormed);
  }

  /**
   * After prefill: drops the pruned tokens from the lower layers too, where the method says so, and
   * tells the sequences what was chosen.
   */
  void finish() {
    for (Part part : parts) {
      if (part.compactsLowerLayers()) {
        compact(part);
      }
      List<VisualSpan> spans = part.sequence().spans();
      PruningMethod method = part.sequence().method();
      part.sequence()
          .prefilled(
              part.chosen().map(chosen -> chosen.read(method, spans)).orElse(List.of()),
              part.length(),
              part.compactsPositions() ? part.count() : part.length());
    }
  }

  private void compact(Part part) {
    BlockTable table = part.sequence().lower();
    int[] to = new int[part.count()];
    Arrays.setAll(to, table::slot);
    Tensor source = workspace.tensor("compact.from", DType.I32, 1, to.length);
    Tensor target = workspace.ints("compact.to", to);
    lookUp(lower.slots(), survivors.cols(part.from(), part.count()), source);
    int kvHeads = cache.layout().kvHeads();
    workspace
        .context()
        .ops()
        .kvGather(cache.lowerKeys(), cache.lowerValues(), source, target, kvHeads);
    table.truncate(to.length);
  }
}
