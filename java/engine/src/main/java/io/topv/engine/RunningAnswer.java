package io.topv.engine;

import io.topv.engine.model.SequenceState;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.Selection;
import io.topv.engine.prune.VisualSpan;
import io.topv.engine.sample.Draw;
import io.topv.engine.sample.Sampler;
import io.topv.engine.sample.TokenLogprobs;
import io.topv.engine.tokenizer.IncrementalDecoder;
import io.topv.engine.tokenizer.StopStrings;
import io.topv.engine.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** An answer while it is generated. */
final class RunningAnswer {
  private final int index;
  private final Request request;
  private final SequenceState state;
  private final PromptBuilder.Prompt prompt;
  private final Stopwatch watch;
  private final TokenListener listener;
  private final Sampler sampler;
  private final IncrementalDecoder decoder;
  private final StopStrings stops;
  private final int mostTokens;
  private final List<Integer> tokens = new ArrayList<>();
  private final List<TokenLogprobs> logprobs = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private Optional<Answer.FinishReason> finished = Optional.empty();

  RunningAnswer(
      int index,
      Request request,
      PromptBuilder.Prompt prompt,
      SequenceState state,
      Stopwatch watch,
      TokenListener listener,
      Tokenizer tokenizer,
      int mostTokens) {
    this.index = index;
    this.request = request;
    this.prompt = prompt;
    this.state = state;
    this.watch = watch;
    this.listener = listener;
    this.sampler = new Sampler(request.sampling(), prompt.ids());
    this.decoder = tokenizer.incrementalDecoder(true);
    this.stops = new StopStrings(request.sampling().stop());
    this.mostTokens = mostTokens;
  }

  int index() {
    return index;
  }

  SequenceState state() {
    return state;
  }

  int promptTokens() {
    return prompt.ids().length;
  }

  Stopwatch watch() {
    return watch;
  }

  int lastToken() {
    return tokens.get(tokens.size() - 1);
  }

  boolean isFinished() {
    return finished.isPresent();
  }

  boolean needsNoLogits() {
    return sampler.needsNoLogits();
  }

  /** How a device is to draw the next token. */
  Draw draw() {
    return sampler.draw(tokens.size());
  }

  /** Takes the logits of the next token. */
  void accept(float[] logits, Set<Integer> endTokens) {
    accept(sampler.next(logits), endTokens);
  }

  /** Takes the next token, which a device has drawn. */
  void accept(int token, Set<Integer> endTokens) {
    sampler.drawn(token);
    accept(new Sampler.Choice(token, Optional.empty()), endTokens);
  }

  private void accept(Sampler.Choice choice, Set<Integer> endTokens) {
    if (tokens.isEmpty()) {
      watch.firstToken();
    }
    tokens.add(choice.token());
    choice.logprobs().ifPresent(logprobs::add);
    boolean end = endTokens.contains(choice.token()) && !request.sampling().ignoreEos();
    String fresh = end ? "" : stops.push(decoder.push(choice.token()));
    if (end || stops.hit().isPresent()) {
      finish(Answer.FinishReason.STOP, fresh);
    } else if (tokens.size() >= mostTokens) {
      finish(Answer.FinishReason.LENGTH, fresh);
    } else if (!tell(fresh)) {
      finish(Answer.FinishReason.CANCELLED, "");
    }
  }

  void finish(Answer.FinishReason reason, String fresh) {
    finished = Optional.of(reason);
    String rest = stops.hit().isPresent() ? "" : stops.push(decoder.flush()) + stops.flush();
    tell(fresh + rest);
  }

  private boolean tell(String fresh) {
    text.append(fresh);
    return listener.onText(fresh);
  }

  Answer answer() {
    List<Answer.ImageReport> images = new ArrayList<>();
    PruningMethod method = request.pruning();
    Optional<String> notApplied = notApplied(method);
    for (int i = 0; i < prompt.spans().size(); i++) {
      VisualSpan span = prompt.spans().get(i);
      Selection selection =
          state.selections().isEmpty() ? everything(span) : state.selections().get(i);
      images.add(
          new Answer.ImageReport(
              span.tokens(),
              span.width(),
              span.height(),
              selection.kept(),
              selection.importance(),
              method.name(),
              notApplied));
    }
    return new Answer(
        text.toString(),
        tokens.stream().mapToInt(Integer::intValue).toArray(),
        prompt.ids().length,
        finished.orElse(Answer.FinishReason.CANCELLED),
        images,
        notApplied,
        watch.finish(),
        List.copyOf(logprobs));
  }

  private static Selection everything(VisualSpan span) {
    return new Selection(IntStream.range(0, span.tokens()).toArray(), new float[0]);
  }

  private Optional<String> notApplied(PruningMethod method) {
    if (method.name().equals("none") || !state.selections().isEmpty()) {
      return Optional.empty();
    }
    if (!method.inactive().isEmpty()) {
      return Optional.of(method.inactive());
    }
    if (prompt.spans().isEmpty()) {
      return Optional.of("the prompt has no image");
    }
    int[] counts = prompt.spans().stream().mapToInt(VisualSpan::tokens).toArray();
    return Optional.of("too few visual tokens: " + Arrays.toString(counts));
  }
}
