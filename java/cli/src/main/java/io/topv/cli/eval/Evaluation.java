package io.topv.cli.eval;

import io.topv.engine.Answer;
import io.topv.engine.Engine;
import io.topv.engine.ImageInput;
import io.topv.engine.Request;
import io.topv.engine.sample.SamplingParams;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;

/** Asks every question under every condition that the journal does not know yet. */
public final class Evaluation {
  private static final int MAX_TOKENS = 32;

  private record Task(Condition condition, Question question) {}

  private final List<Condition> conditions;
  private final List<Question> questions;
  private final Journal journal;
  private final BooleanSupplier stop;

  /**
   * @param stop whether to end early; what is done by then is in the journal
   */
  public Evaluation(
      List<Condition> conditions, List<Question> questions, Journal journal, BooleanSupplier stop) {
    this.conditions = conditions;
    this.questions = questions;
    this.journal = journal;
    this.stop = stop;
  }

  /**
   * @param engines by pruning layer, one engine for each worker
   * @param workers engines at a time
   */
  public void run(IntFunction<Engine> engines, int workers, Progress progress) {
    // All questions about an image follow each other under all conditions: it is encoded once.
    Map<Integer, Map<Path, List<Task>>> byLayer = new LinkedHashMap<>();
    int known = 0;
    for (Question question : questions) {
      for (Condition condition : conditions) {
        if (journal.outcome(condition, question).isPresent()) {
          known++;
        } else {
          byLayer
              .computeIfAbsent(condition.pruning().layer(), layer -> new LinkedHashMap<>())
              .computeIfAbsent(question.image(), image -> new ArrayList<>())
              .add(new Task(condition, question));
        }
      }
    }
    progress.begin(known, conditions.size() * questions.size());
    byLayer.forEach(
        (layer, byImage) -> {
          Queue<List<Task>> work = new ConcurrentLinkedQueue<>(byImage.values());
          runAll(() -> drain(work, engines.apply(layer), progress), workers);
        });
    progress.end();
  }

  private static void runAll(Runnable work, int workers) {
    ExecutorService pool = Executors.newFixedThreadPool(workers);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < workers; i++) {
        running.add(pool.submit(work));
      }
      for (Future<?> one : running) {
        one.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      pool.shutdown();
    }
  }

  private void drain(Queue<List<Task>> work, Engine engine, Progress progress) {
    try (engine) {
      for (List<Task> tasks = work.poll(); tasks != null; tasks = work.poll()) {
        if (stop.getAsBoolean()) {
          return;
        }
        List<Outcome> outcomes = ask(engine, tasks);
        journal.add(outcomes);
        progress.done(outcomes.size());
      }
    }
  }

  private List<Outcome> ask(Engine engine, List<Task> tasks) {
    ImageInput image = ImageInput.of(tasks.get(0).question().image());
    List<Request> requests = tasks.stream().map(task -> request(image, task)).toList();
    List<Answer> answers = engine.generate(requests, index -> text -> !stop.getAsBoolean());
    List<Outcome> outcomes = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = answers.get(i);
      if (answer.finishReason() != Answer.FinishReason.CANCELLED) {
        Task task = tasks.get(i);
        outcomes.add(
            new Outcome(
                task.condition().key(),
                task.question().index(),
                answer.text().strip(),
                task.question().isAnsweredBy(answer.text()),
                answer.images().get(0).kept().length));
      }
    }
    return outcomes;
  }

  private static Request request(ImageInput image, Task task) {
    return new Request(
        task.question().question(),
        List.of(image),
        false,
        task.condition().pruning(),
        SamplingParams.greedy(MAX_TOKENS),
        task.condition().side());
  }
}
