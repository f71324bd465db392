package io.topv.engine;

import io.topv.engine.config.GenerationConfig;
import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import io.topv.engine.config.TextConfig;
import io.topv.engine.image.ImageProcessor;
import io.topv.engine.image.ImageProcessorConfig;
import io.topv.engine.image.Images;
import io.topv.engine.image.PixelValues;
import io.topv.engine.kv.KvCache;
import io.topv.engine.model.ImageFeatures;
import io.topv.engine.model.LlavaModel;
import io.topv.engine.model.SequenceState;
import io.topv.engine.sample.Draw;
import io.topv.engine.schedule.Scheduler;
import io.topv.engine.schedule.Scheduler.Batch;
import io.topv.engine.tokenizer.Tokenizer;
import io.topv.engine.weights.Checkpoint;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.NativeException;
import io.topv.runtime.Status;
import io.topv.runtime.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * A loaded model that answers questions about images. Used by one thread at a time.
 *
 * <pre>{@code
 * try (Engine engine = Engine.load(Path.of("models/topv-demo"), EngineOptions.defaults())) {
 *   Answer answer = engine.generate(Request.of("How many circles are there?", picture));
 * }
 * }</pre>
 */
public final class Engine implements AutoCloseable {
  private static final int PAGE_SIZE = 16;
  private static final int DEFAULT_MAX_LEN = 4096;
  private static final long ENCODER_CACHE_BYTES = 256L << 20;

  private final EngineOptions options;
  private final ModelConfig config;
  private final Context context;
  private final DType dtype;
  private final int maxModelLen;
  private final Tokenizer tokenizer;
  private final PromptBuilder prompts;
  private final Optional<ImageProcessor> images;
  private final LlavaModel model;
  private final DeviceSampler sampler;
  private final EncoderCache encoded = new EncoderCache(ENCODER_CACHE_BYTES);
  private final Set<Integer> endTokens = new HashSet<>();
  private final Deque<Runnable> closing = new ArrayDeque<>(); // what was opened last comes first

  private Engine(Path modelDir, EngineOptions options) {
    this.options = options;
    this.config = ModelConfig.load(modelDir);
    TextConfig text = config.text();
    this.maxModelLen = maxModelLen(options, text);
    this.images =
        config instanceof LlavaConfig
            ? Optional.of(new ImageProcessor(ImageProcessorConfig.parse(modelDir)))
            : Optional.empty();
    endTokens.addAll(text.eosTokenIds());
    GenerationConfig.load(modelDir).ifPresent(g -> endTokens.addAll(g.eosTokenIds()));
    try {
      this.tokenizer = Tokenizer.load(modelDir);
      closing.push(tokenizer::close);
      this.prompts = new PromptBuilder(modelDir, config, tokenizer);
      this.context = Context.open(options.device());
      closing.push(context::close);
      this.dtype = options.dtype().orElseGet(this::autoDtype);
      this.model = load(modelDir, layout(text));
      closing.push(model::close);
      this.sampler = new DeviceSampler(context, options.maxSequences());
      closing.push(sampler::close);
      closing.push(encoded::close);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private LlavaModel load(Path modelDir, KvCache.Layout layout) {
    try {
      return new LlavaModel(config, Checkpoint.open(modelDir), context, dtype, maxModelLen, layout);
    } catch (NativeException e) {
      if (e.status() != Status.OUT_OF_MEMORY) {
        throw e;
      }
      throw new TopvException(
          "out of memory: %s; the KV cache alone takes %d MiB at max-model-len = %d"
              .formatted(e.getMessage(), layout.bytes() >> 20, maxModelLen),
          e);
    }
  }

  /**
   * Loads a LLaVA-1.5 or LLaMA model in Hugging Face format.
   *
   * @throws TopvException when a file is missing or wrong; the message names file, field and value
   */
  public static Engine load(Path modelDir, EngineOptions options) {
    if (!Files.isDirectory(modelDir)) {
      throw new TopvException(
          modelDir + ": no such directory; expected a model in Hugging Face format");
    }
    return new Engine(modelDir, options);
  }

  private static int maxModelLen(EngineOptions options, TextConfig text) {
    int own = text.maxPositionEmbeddings();
    if (options.maxModelLen().isEmpty()) {
      return Math.min(own, DEFAULT_MAX_LEN);
    }
    int asked = options.maxModelLen().getAsInt();
    if (asked < 1 || asked > own) {
      throw new TopvException(
          "max-model-len = %d is not in 1 .. %d (max_position_embeddings of config.json)"
              .formatted(asked, own));
    }
    return asked;
  }

  private DType autoDtype() {
    boolean half = config.dtype().map(d -> d == DType.BF16 || d == DType.F16).orElse(false);
    return half && context.multipliesBf16() ? DType.BF16 : DType.F32;
  }

  private KvCache.Layout layout(TextConfig text) {
    int pages = options.maxSequences() * ((maxModelLen + PAGE_SIZE - 1) / PAGE_SIZE);
    int lower = Math.min(Math.max(1, options.pruneLayer()), text.layers());
    return new KvCache.Layout(
        text.layers(), lower, text.kvHeads(), text.headDim(), PAGE_SIZE, pages, pages, dtype);
  }

  public ModelConfig config() {
    return config;
  }

  public Context context() {
    return context;
  }

  public LlavaModel model() {
    return model;
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** Dtype of the arithmetic. */
  public DType dtype() {
    return dtype;
  }

  public int maxModelLen() {
    return maxModelLen;
  }

  public Answer generate(Request request) {
    return generate(request, TokenListener.SILENT);
  }

  /** Answers; {@code listener} hears the text as it grows and may stop it. */
  public Answer generate(Request request, TokenListener listener) {
    return generate(List.of(request), index -> listener).get(0);
  }

  /**
   * Answers many questions, several at once.
   *
   * @param listeners per index of a request
   * @return in the order of the requests
   */
  public List<Answer> generate(List<Request> requests, IntFunction<TokenListener> listeners) {
    Answer[] answers = new Answer[requests.size()];
    Scheduler<RunningAnswer> scheduler = new Scheduler<>(options.maxSequences(), this::fits);
    List<RunningAnswer> all = new ArrayList<>();
    int next = 0;
    try {
      while (next < requests.size() || !scheduler.isIdle()) {
        // Admitted one by one, so that images are read when their turn comes.
        if (next < requests.size() && scheduler.running() < options.maxSequences()) {
          RunningAnswer admitted = admit(next, requests.get(next), listeners.apply(next));
          all.add(admitted);
          scheduler.add(admitted);
          next++;
        }
        step(scheduler, answers);
        if (scheduler.waiting() == 0) {
          encoded.evict(); // only prefill reads features
        }
      }
    } finally {
      all.forEach(answer -> answer.state().release());
    }
    return List.of(answers);
  }

  private boolean fits(RunningAnswer answer) {
    return answer.state().canHold(answer.promptTokens() + 1);
  }

  private void step(Scheduler<RunningAnswer> scheduler, Answer[] answers) {
    Batch<RunningAnswer> batch = scheduler.next();
    Tensor logits = run(batch);
    Optional<int[]> drawn = draw(batch.sequences(), logits);
    for (int row = 0; row < batch.sequences().size(); row++) {
      RunningAnswer answer = batch.sequences().get(row);
      if (drawn.isPresent() && answer.needsNoLogits()) {
        answer.accept(drawn.get()[row], endTokens);
      } else {
        answer.accept(logits.rows(row, 1).toFloats(), endTokens);
      }
      if (!answer.isFinished() && !answer.state().canHold(1)) {
        answer.finish(Answer.FinishReason.LENGTH, "");
      }
      if (answer.isFinished()) {
        scheduler.remove(answer);
        answer.state().release();
        answers[answer.index()] = answer.answer();
      }
    }
  }

  /** On a GPU, the tokens of the sequences that need no logits; what it says of others is idle. */
  private Optional<int[]> draw(List<RunningAnswer> sequences, Tensor logits) {
    if (!context.isGpu() || sequences.stream().noneMatch(RunningAnswer::needsNoLogits)) {
      return Optional.empty();
    }
    List<Draw> draws = sequences.stream().map(RunningAnswer::draw).toList();
    return Optional.of(sampler.choose(logits, draws));
  }

  private Tensor run(Batch<RunningAnswer> batch) {
    List<SequenceState> states = batch.sequences().stream().map(RunningAnswer::state).toList();
    if (!batch.prefill()) {
      return model.decode(
          states, batch.sequences().stream().mapToInt(RunningAnswer::lastToken).toArray());
    }
    long start = System.nanoTime();
    Tensor logits = model.prefill(states);
    batch.sequences().get(0).watch().prefill(System.nanoTime() - start, model.takeSelectionNanos());
    return logits;
  }

  private RunningAnswer admit(int index, Request request, TokenListener listener) {
    Stopwatch watch = new Stopwatch();
    List<ImageFeatures> features = features(request, watch);
    PromptBuilder.Prompt prompt = prompts.build(request, features);
    int room = maxModelLen - prompt.ids().length;
    if (prompt.ids().length == 0) {
      throw new TopvException("prompt is empty");
    }
    if (room < 1) {
      throw new TopvException(
          "prompt has %d tokens; max-model-len = %d leaves no room for an answer"
              .formatted(prompt.ids().length, maxModelLen));
    }
    SequenceState state =
        model.newSequence(prompt.ids(), prompt.spans(), features, request.pruning());
    int most = Math.min(request.sampling().maxTokens(), room);
    return new RunningAnswer(index, request, prompt, state, watch, listener, tokenizer, most);
  }

  private List<ImageFeatures> features(Request request, Stopwatch watch) {
    if (images.isEmpty() && !request.images().isEmpty()) {
      throw new TopvException(
          "this model reads text only, but " + request.images().get(0).name() + " was given");
    }
    List<ImageFeatures> features = new ArrayList<>();
    for (ImageInput image : request.images()) {
      int side = request.imageSide().orElse(((LlavaConfig) config).vision().imageSize());
      String key = EncoderCache.key(image, side);
      Optional<ImageFeatures> known = encoded.get(key);
      features.add(known.orElseGet(() -> encode(image, side, key, watch)));
    }
    return features;
  }

  private ImageFeatures encode(ImageInput image, int side, String key, Stopwatch watch) {
    long start = System.nanoTime();
    PixelValues pixels =
        processor(side).process(Images.decode(image.data(), image.name(), options.imageLimits()));
    watch.image(System.nanoTime() - start);
    if (pixels.width() != side || pixels.height() != side) {
      throw new TopvException(
          "preprocessor_config.json: makes %d x %d pixels, but config.json: vision_config.image_size = %d"
              .formatted(pixels.width(), pixels.height(), side));
    }
    start = System.nanoTime();
    ImageFeatures features = model.encode(List.of(pixels.values()), side).get(0);
    watch.vision(System.nanoTime() - start);
    encoded.put(key, features);
    return features;
  }

  private ImageProcessor processor(int side) {
    LlavaConfig llava = (LlavaConfig) config;
    if (side == llava.vision().imageSize()) {
      return images.orElseThrow();
    }
    if (side < 1 || side % llava.vision().patchSize() != 0) {
      throw new TopvException(
          "image-side = %d is not a multiple of patch_size = %d"
              .formatted(side, llava.vision().patchSize()));
    }
    return new ImageProcessor(images.orElseThrow().config().withSide(side));
  }

  @Override
  public void close() {
    while (!closing.isEmpty()) {
      closing.pop().run();
    }
  }
}
