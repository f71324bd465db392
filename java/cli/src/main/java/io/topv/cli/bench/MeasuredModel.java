package io.topv.cli.bench;

import io.topv.engine.DeviceSampler;
import io.topv.engine.TopvException;
import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import io.topv.engine.config.TextConfig;
import io.topv.engine.kv.KvCache;
import io.topv.engine.model.ImageFeatures;
import io.topv.engine.model.LlavaModel;
import io.topv.engine.model.SequenceState;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.VisualSpan;
import io.topv.engine.weights.Checkpoint;
import io.topv.engine.weights.TensorPool;
import io.topv.engine.weights.WeightSource;
import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import io.topv.runtime.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A bf16 model, some copies of one picture and one prompt, and the times of their stages. */
final class MeasuredModel implements AutoCloseable {
  private static final int PAGE_SIZE = 16;
  private static final int ANSWER_ROOM = 256;

  private final LlavaConfig config;
  private final int[] prompt;
  private final float[] pixels;
  private final int mostSequences;
  private final Context context;
  private final LlavaModel model;
  private final DeviceSampler sampler;
  private final double loadMillis;
  private List<ImageFeatures> features = List.of();
  private List<SequenceState> state = List.of();
  private int[] next = {};
  private int batch = 1;

  /**
   * Loads it.
   *
   * @param pool random numbers that stand for the weights; empty = the directory holds the weights
   * @param mostSequences room in the caches
   */
  MeasuredModel(
      Path directory,
      Optional<Path> pool,
      float[] pixels,
      int[] prompt,
      ContextOptions device,
      int mostSequences) {
    this.prompt = prompt;
    this.pixels = pixels;
    this.mostSequences = mostSequences;
    long start = System.nanoTime();
    if (!(ModelConfig.load(directory) instanceof LlavaConfig llava)) {
      throw new TopvException(directory + ": not a LLaVA model");
    }
    this.config = llava;
    this.context = Context.open(device);
    TextConfig text = config.text();
    int length = prompt.length + ANSWER_ROOM;
    int pages = mostSequences * ((length + PAGE_SIZE - 1) / PAGE_SIZE);
    KvCache.Layout layout =
        new KvCache.Layout(
            text.layers(), 2, text.kvHeads(), text.headDim(), PAGE_SIZE, pages, pages, DType.BF16);
    try {
      WeightSource weights =
          pool.isPresent() ? TensorPool.open(pool.get(), context) : Checkpoint.open(directory);
      this.model = new LlavaModel(config, weights, context, DType.BF16, length, layout);
    } catch (RuntimeException | Error e) {
      context.close();
      throw e;
    }
    this.sampler = new DeviceSampler(context, mostSequences);
    this.loadMillis = millisSince(start);
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  Map<String, Object> loaded() {
    return Map.of(
        "ms", loadMillis, "peak_bytes", Context.peakMemory(), "device", context.describe());
  }

  /** How many copies the next measurements run at once. */
  Map<String, Object> batch(int count) {
    if (count < 1 || count > mostSequences) {
      throw new TopvException("batch = %d is not in 1 .. %d".formatted(count, mostSequences));
    }
    release();
    batch = count;
    return Map.of("batch", batch);
  }

  private void release() {
    state.forEach(SequenceState::release);
    state = List.of();
    features.forEach(ImageFeatures::close);
    features = List.of();
  }

  Map<String, Object> vision() {
    long start = System.nanoTime();
    encode();
    context.synchronize();
    return Map.of("ms", millisSince(start), "peak_bytes", Context.peakMemory());
  }

  private void encode() {
    features.forEach(ImageFeatures::close);
    features = model.encode(Collections.nCopies(batch, pixels), config.vision().imageSize());
  }

  Map<String, Object> prefill(PruningMethod method) {
    if (features.isEmpty()) {
      encode();
      context.synchronize();
    }
    long start = System.nanoTime();
    next = sampler.best(start(method));
    double millis = millisSince(start);
    return Map.of(
        "ms",
        millis,
        "selection_ms",
        model.takeSelectionNanos() / 1e6,
        "upper_tokens",
        state.get(0).upperLength(),
        "token",
        next[0],
        "peak_bytes",
        Context.peakMemory());
  }

  Map<String, Object> first(PruningMethod method) {
    long start = System.nanoTime();
    encode();
    next = sampler.best(start(method));
    double millis = millisSince(start);
    model.takeSelectionNanos();
    return Map.of("ms", millis, "token", next[0]);
  }

  /** The prompt of fresh sequences; their logits. */
  private Tensor start(PruningMethod method) {
    state.forEach(SequenceState::release);
    state = features.stream().map(image -> sequence(image, method)).toList();
    return model.prefill(state);
  }

  private SequenceState sequence(ImageFeatures image, PruningMethod method) {
    VisualSpan span = new VisualSpan(firstPlaceholder(), image.width(), image.height());
    return model.newSequence(prompt, List.of(span), List.of(image), method);
  }

  private int firstPlaceholder() {
    for (int i = 0; i < prompt.length; i++) {
      if (prompt[i] == config.imageTokenIndex()) {
        return i;
      }
    }
    throw new TopvException("the prompt has no placeholder " + config.imageTokenIndex());
  }

  Map<String, Object> decode(int count) {
    int[] tokens = new int[count];
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      tokens[i] = next[0];
      next = sampler.best(model.decode(state, next));
    }
    return Map.of("ms", millisSince(start), "tokens", tokens);
  }

  /** Raw little-endian float32 [1 + ids, V]. */
  Map<String, Object> force(Path file, int[] ids) {
    batch(1);
    encode();
    try (WritableByteChannel out = Channels.newChannel(Files.newOutputStream(file))) {
      write(out, start(new NoPruning(model.cache().layout().lowerLayers())).toFloats());
      for (int id : ids) {
        write(out, model.decode(state, new int[] {id}).toFloats());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Map.of("rows", 1 + ids.length);
  }

  private static void write(WritableByteChannel out, float[] values) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  @Override
  public void close() {
    features.forEach(ImageFeatures::close);
    sampler.close();
    model.close();
    context.close();
  }
}
