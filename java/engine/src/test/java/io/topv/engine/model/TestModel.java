package io.topv.engine.model;

import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import io.topv.engine.config.TextConfig;
import io.topv.engine.kv.KvCache;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.VisualSpan;
import io.topv.engine.weights.Checkpoint;
import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A model with small pages, on the CPU or where the system property {@code topv.test.backend} says:
 * cuda, or simt, the emulation of a GPU. {@code topv.test.isa} forces an instruction set of the
 * CPU, for the whole process, since oneDNN's limit is the process's.
 */
final class TestModel implements AutoCloseable {
  static final String BACKEND = System.getProperty("topv.test.backend", "cpu");
  static final Optional<String> ISA =
      Optional.of(System.getProperty("topv.test.isa", "")).filter(isa -> !isa.isEmpty());

  /**
   * Sizes that tests choose.
   *
   * @param lowerLayers layers that see every token
   * @param pages pages of every layer
   */
  record Sizes(int lowerLayers, int maxPositions, int pageSize, int pages) {
    static final Sizes USUAL = new Sizes(2, 512, 7, 300);

    Sizes splitAfter(int layer) {
      return new Sizes(layer, maxPositions, pageSize, pages);
    }

    Sizes withPages(int count) {
      return new Sizes(lowerLayers, maxPositions, pageSize, count);
    }
  }

  private final Context context;
  private final LlavaModel model;
  private final List<ImageFeatures> images = new ArrayList<>();

  private TestModel(Context context, LlavaModel model) {
    this.context = context;
    this.model = model;
  }

  static Context device(int threads) {
    return Context.open(new ContextOptions(BACKEND, 0, threads, ISA));
  }

  static TestModel open(Path directory, DType dtype, int threads, Sizes sizes) {
    ModelConfig config = ModelConfig.load(directory);
    TextConfig text = config.text();
    Context context = device(threads);
    KvCache.Layout layout =
        new KvCache.Layout(
            text.layers(),
            Math.min(sizes.lowerLayers(), text.layers()),
            text.kvHeads(),
            text.headDim(),
            sizes.pageSize(),
            sizes.pages(),
            sizes.pages(),
            dtype);
    try {
      return new TestModel(
          context,
          new LlavaModel(
              config, Checkpoint.open(directory), context, dtype, sizes.maxPositions(), layout));
    } catch (RuntimeException | Error e) {
      context.close();
      throw e;
    }
  }

  static TestModel open(Path directory, DType dtype, int threads) {
    return open(directory, dtype, threads, Sizes.USUAL);
  }

  Context context() {
    return context;
  }

  LlavaModel model() {
    return model;
  }

  int side() {
    return ((LlavaConfig) model.config()).vision().imageSize();
  }

  /** Visual tokens of pictures; closed with this. */
  List<ImageFeatures> encode(List<float[]> pixels) {
    if (pixels.isEmpty()) {
      return List.of();
    }
    List<ImageFeatures> encoded = model.encode(pixels, side());
    images.addAll(encoded);
    return encoded;
  }

  SequenceState sequence(int[] prompt, List<VisualSpan> spans, List<ImageFeatures> features) {
    return sequence(prompt, spans, features, new NoPruning(2));
  }

  SequenceState sequence(
      int[] prompt, List<VisualSpan> spans, List<ImageFeatures> features, PruningMethod method) {
    return model.newSequence(prompt, spans, features, method);
  }

  SequenceState sequence(GoldenCase golden, PruningMethod method) {
    return sequence(golden.prompt(), golden.spans(), encode(golden.pixels()), method);
  }

  /** Logits [V] of each sequence's next token. */
  List<float[]> prefill(SequenceState... batch) {
    return rows(model.prefill(List.of(batch)).toFloats(), batch.length);
  }

  List<float[]> decode(List<SequenceState> batch, int... tokens) {
    return rows(model.decode(batch, tokens).toFloats(), batch.size());
  }

  private static List<float[]> rows(float[] values, int count) {
    int v = values.length / count;
    List<float[]> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(Arrays.copyOfRange(values, i * v, (i + 1) * v));
    }
    return rows;
  }

  /** {@code count} tokens, beginning with the one that {@code logits}, of the prompt, name. */
  int[] greedy(SequenceState sequence, float[] logits, int count) {
    int[] tokens = new int[count];
    float[] next = logits;
    for (int i = 0; i < count; i++) {
      tokens[i] = best(next);
      if (i + 1 < count) {
        next = decode(List.of(sequence), tokens[i]).get(0);
      }
    }
    return tokens;
  }

  static int best(float[] logits) {
    int best = 0;
    for (int i = 0; i < logits.length; i++) {
      if (Float.isNaN(logits[i])) {
        throw new AssertionError("logits[" + i + "] is NaN");
      }
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  @Override
  public void close() {
    images.forEach(ImageFeatures::close);
    model.close();
    context.close();
  }
}
