package io.topv.engine.model;

import io.topv.engine.TopvException;
import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import io.topv.engine.kv.BlockTable;
import io.topv.engine.kv.KvCache;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.VisualSpan;
import io.topv.engine.weights.WeightNames;
import io.topv.engine.weights.WeightSource;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A LLaVA model on a device, or a LLaMA one (then without eyes): images to visual tokens, prompts
 * to logits. It decides nothing: the scheduler says which sequences run.
 */
public final class LlavaModel implements AutoCloseable {
  private final ModelConfig config;
  private final Context context;
  private final WeightSource weights;
  private final WeightLoader loader;
  private final Workspace workspace;
  private final LlamaDecoder decoder;
  private final Optional<ClipVisionTower> tower;
  private final Optional<Projector> projector;
  private final KvCache cache;
  private final PrefillPruning pruning;
  private final StepGraphs graphs;
  private Probe probe = Probe.NONE;
  private boolean hasSeen;

  /**
   * Loads the weights.
   *
   * @param weights closed with this, or where this fails
   * @param maxPositions longest sequence
   * @param layout sizes of the KV cache
   */
  public LlavaModel(
      ModelConfig config,
      WeightSource weights,
      Context context,
      DType compute,
      int maxPositions,
      KvCache.Layout layout) {
    this.config = config;
    this.context = context;
    this.weights = weights;
    this.loader = new WeightLoader(context, weights, compute);
    this.workspace = new Workspace(context);
    this.graphs = new StepGraphs(workspace);
    try {
      WeightNames names = WeightNames.detect(weights, config);
      this.decoder = new LlamaDecoder(config.text(), names, loader, workspace, maxPositions);
      Optional<LlavaConfig> llava =
          config instanceof LlavaConfig c ? Optional.of(c) : Optional.empty();
      this.tower = llava.map(c -> new ClipVisionTower(c, names, loader, workspace));
      this.projector = llava.map(c -> new Projector(c, names, loader, workspace));
      this.cache = new KvCache(context, layout);
      this.pruning = new PrefillPruning(workspace, cache);
    } catch (RuntimeException | Error e) {
      workspace.close();
      loader.close();
      weights.close();
      throw e;
    }
  }

  public ModelConfig config() {
    return config;
  }

  public KvCache cache() {
    return cache;
  }

  public void setProbe(Probe probe) {
    this.probe = probe;
  }

  /** Nanoseconds that choosing and gathering tokens took since the last call. */
  public long takeSelectionNanos() {
    return pruning.takeNanos();
  }

  /**
   * Visual tokens of images of one size.
   *
   * @param pixels per image [3, side, side], normalized
   * @param side pixels, a multiple of the patch size
   */
  public List<ImageFeatures> encode(List<float[]> pixels, int side) {
    Tensor features = visionFeatures(pixels, side);
    int each = (int) features.rows() / pixels.size();
    int grid = side / ((LlavaConfig) config).vision().patchSize();
    boolean square = each == grid * grid;
    List<ImageFeatures> images = new ArrayList<>();
    for (int i = 0; i < pixels.size(); i++) {
      long c = config.text().hiddenSize();
      DeviceBuffer buffer = context.allocate(features.dtype(), each, c);
      Tensor tokens = buffer.tensor(features.dtype(), each, c);
      projector.orElseThrow().project(features.rows((long) i * each, each), tokens);
      // with the class token among them the tokens form no grid, but a line
      images.add(new ImageFeatures(buffer, tokens, square ? grid : each, square ? grid : 1));
    }
    return images;
  }

  /** What enters the projector: [B * visual tokens, feature size], valid until the next call. */
  Tensor visionFeatures(List<float[]> pixels, int side) {
    ClipVisionTower eyes =
        tower.orElseThrow(
            () -> new TopvException("this model reads text only, but an image was given"));
    Tensor features = eyes.encode(pixels, side);
    if (!hasSeen) {
      weights.release(); // a CPU that packs at the first use has read the tower's weights now
      hasSeen = true;
    }
    return features;
  }

  /** F32 [rows, V] of the last layer's output {@code hidden}: for probes. */
  Tensor logitsOfAll(Tensor hidden) {
    return decoder.logits(hidden, PackedRows.range((int) hidden.rows()));
  }

  /**
   * A new sequence with empty caches.
   *
   * @param prompt token ids, placeholders expanded
   * @param spans where the visual tokens of {@code features} go
   */
  public SequenceState newSequence(
      int[] prompt, List<VisualSpan> spans, List<ImageFeatures> features, PruningMethod method) {
    if (!method.inactive().isEmpty()
        || spans.isEmpty()
        || spans.stream().anyMatch(span -> method.kept(span) < 1)) {
      return new SequenceState(
          prompt, spans, features, noPruning(), cache.newLowerTable(), cache.newUpperTable());
    }
    if (method.layer() >= decoder.layerCount()) {
      throw new TopvException(
          "topv-layer = %d is not below the model's %d layers"
              .formatted(method.layer(), decoder.layerCount()));
    }
    if (method.layer() != cache.layout().lowerLayers()) {
      throw new TopvException(
          "topv-layer = %d, but this engine's caches are split after layer %d"
              .formatted(method.layer(), cache.layout().lowerLayers()));
    }
    return new SequenceState(
        prompt, spans, features, method, cache.newLowerTable(), cache.newUpperTable());
  }

  private PruningMethod noPruning() {
    return new NoPruning(cache.layout().lowerLayers());
  }

  /**
   * Runs whole prompts.
   *
   * @return F32 [B, V]: logits of each sequence's next token, valid until the next step
   */
  public Tensor prefill(List<SequenceState> batch) {
    Tensor hidden = embedPrompts(batch);
    probe.hidden(0, hidden);
    List<int[]> positions = new ArrayList<>();
    List<BlockTable> lower = new ArrayList<>();
    for (SequenceState sequence : batch) {
      int length = sequence.prompt().length;
      sequence.lower().grow(length);
      lower.add(sequence.lower());
      positions.add(PackedRows.range(length));
    }
    PackedRows rows =
        PackedRows.of(workspace, "lower", positions, lower, cache.layout().pageSize());
    PackedRows upper = null;
    int split = cache.layout().lowerLayers();
    for (int i = 0; i < decoder.layerCount(); i++) {
      boolean last = i == split - 1;
      if (last) {
        pruning.remember(batch, hidden);
      }
      LlamaDecoder.Streams streams = decoder.attend(i, hidden, rows, cache, true);
      if (last) {
        PrefillPruning.Result result = pruning.prune(batch, streams, rows);
        streams = result.streams();
        upper = result.rows();
      }
      decoder.mlp(i, streams);
      hidden = streams.hidden();
      probe.hidden(i + 1, hidden);
      if (last) {
        rows = upper;
      }
    }
    Tensor logits = decoder.logits(hidden, lastRows(batch));
    pruning.finish();
    return logits;
  }

  private Tensor embedPrompts(List<SequenceState> batch) {
    int[] ids = batch.stream().flatMapToInt(s -> Arrays.stream(s.prompt())).toArray();
    Tensor hidden = decoder.embed(workspace.ints("ids", ids));
    int start = 0;
    for (SequenceState sequence : batch) {
      for (int i = 0; i < sequence.spans().size(); i++) {
        Tensor tokens = sequence.features().get(i).tokens();
        tokens.copyTo(hidden.rows(start + sequence.spans().get(i).start(), tokens.rows()));
      }
      start += sequence.prompt().length;
    }
    return hidden;
  }

  private static int[] lastRows(List<SequenceState> batch) {
    int[] last = new int[batch.size()];
    int row = -1;
    for (int b = 0; b < last.length; b++) {
      row += batch.get(b).upper().length();
      last[b] = row;
    }
    return last;
  }

  /**
   * Runs one more token of each sequence.
   *
   * @param tokens one id per sequence
   * @return F32 [B, V]: logits of each sequence's next token, valid until the next step
   */
  public Tensor decode(List<SequenceState> batch, int[] tokens) {
    List<int[]> lowerPositions = new ArrayList<>();
    List<int[]> upperPositions = new ArrayList<>();
    for (SequenceState sequence : batch) {
      sequence.lower().grow(1);
      sequence.upper().grow(1);
      lowerPositions.add(new int[] {sequence.lowerPosition()});
      upperPositions.add(new int[] {sequence.upperPosition()});
    }
    List<BlockTable> lowerTables = batch.stream().map(SequenceState::lower).toList();
    List<BlockTable> upperTables = batch.stream().map(SequenceState::upper).toList();
    StepGraphs.Shape shape =
        new StepGraphs.Shape(batch.size(), keys(lowerTables), keys(upperTables));
    int page = cache.layout().pageSize();
    PackedRows lower =
        PackedRows.of(workspace, "lower", lowerPositions, lowerTables, page, shape.lowerKeys());
    PackedRows upper =
        PackedRows.of(workspace, "upper", upperPositions, upperTables, page, shape.upperKeys());
    Tensor ids = workspace.ints("ids", tokens);
    Tensor logits = decoder.logitsOf(batch.size());
    graphs.run(shape, () -> step(ids, lower, upper, logits));
    batch.forEach(SequenceState::advance);
    return logits;
  }

  private int keys(List<BlockTable> tables) {
    return graphs.keys(tables.stream().mapToInt(BlockTable::length).max().orElse(0));
  }

  /** All the work of a decode step. */
  private void step(Tensor ids, PackedRows lower, PackedRows upper, Tensor logits) {
    Tensor hidden = decoder.embed(ids);
    for (int i = 0; i < decoder.layerCount(); i++) {
      PackedRows rows = i < cache.layout().lowerLayers() ? lower : upper;
      decoder.mlp(i, decoder.attend(i, hidden, rows, cache, false));
    }
    decoder.logits(hidden, logits);
  }

  @Override
  public void close() {
    graphs.close();
    cache.close();
    workspace.close();
    loader.close();
    weights.close();
  }
}
