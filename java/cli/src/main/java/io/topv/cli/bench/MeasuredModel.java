package io.topv.cli.bench;

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
import java.util.List;
import java.util.Map;

/** A bf16 model, one picture and one prompt, and the times of their stages. */
final class MeasuredModel implements AutoCloseable {
  private static final int PAGE_SIZE = 16;
  private static final int ANSWER_ROOM = 256;

  private final LlavaConfig config;
  private final int[] prompt;
  private final float[] pixels;
  private final Context context;
  private final LlavaModel model;
  private final double loadMillis;
  private List<ImageFeatures> features = List.of();
  private List<SequenceState> state = List.of();
  private int next;

  MeasuredModel(Path directory, float[] pixels, int[] prompt, int threads) {
    this.prompt = prompt;
    this.pixels = pixels;
    long start = System.nanoTime();
    if (!(ModelConfig.load(directory) instanceof LlavaConfig llava)) {
      throw new TopvException(directory + ": not a LLaVA model");
    }
    this.config = llava;
    this.context = Context.open(ContextOptions.cpu(threads));
    TextConfig text = config.text();
    int length = prompt.length + ANSWER_ROOM;
    int pages = (length + PAGE_SIZE - 1) / PAGE_SIZE;
    KvCache.Layout layout =
        new KvCache.Layout(
            text.layers(), 2, text.kvHeads(), text.headDim(), PAGE_SIZE, pages, pages, DType.BF16);
    this.model = new LlavaModel(config, directory, context, DType.BF16, length, layout);
    this.loadMillis = millisSince(start);
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  Map<String, Object> loaded() {
    return Map.of("ms", loadMillis, "peak_bytes", Context.peakMemory(), "cpu", context.describe());
  }

  Map<String, Object> vision() {
    long start = System.nanoTime();
    encode();
    return Map.of("ms", millisSince(start), "peak_bytes", Context.peakMemory());
  }

  private void encode() {
    features.forEach(ImageFeatures::close);
    features = model.encode(List.of(pixels), config.vision().imageSize());
  }

  Map<String, Object> prefill(PruningMethod method) {
    if (features.isEmpty()) {
      encode();
    }
    long start = System.nanoTime();
    Tensor logits = start(method);
    double millis = millisSince(start);
    next = largest(logits.toFloats());
    return Map.of(
        "ms",
        millis,
        "selection_ms",
        model.takeSelectionNanos() / 1e6,
        "upper_tokens",
        state.get(0).upperLength(),
        "token",
        next,
        "peak_bytes",
        Context.peakMemory());
  }

  Map<String, Object> first(PruningMethod method) {
    long start = System.nanoTime();
    encode();
    next = largest(start(method).toFloats());
    double millis = millisSince(start);
    model.takeSelectionNanos();
    return Map.of("ms", millis, "token", next);
  }

  /** A fresh sequence's prompt; its logits. */
  private Tensor start(PruningMethod method) {
    state.forEach(SequenceState::release);
    ImageFeatures image = features.get(0);
    VisualSpan span = new VisualSpan(firstPlaceholder(), image.width(), image.height());
    state = List.of(model.newSequence(prompt, List.of(span), features, method));
    return model.prefill(state);
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
      tokens[i] = next;
      next = largest(model.decode(state, new int[] {next}).toFloats());
    }
    return Map.of("ms", millisSince(start), "tokens", tokens);
  }

  /** Raw little-endian float32 [1 + ids, V]. */
  Map<String, Object> force(Path file, int[] ids) {
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

  private static int largest(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  @Override
  public void close() {
    features.forEach(ImageFeatures::close);
    model.close();
    context.close();
  }
}
