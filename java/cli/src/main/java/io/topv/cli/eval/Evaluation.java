package io.topv.cli.eval;

import io.topv.engine.Answer;
import io.topv.engine.Engine;
import io.topv.engine.ImageInput;
import io.topv.engine.Request;
import io.topv.engine.sample.SamplingParams;
import io.topv.runtime.NativeException;
import io.topv.runtime.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * Asks every question under every condition that the journal does not know yet. A condition that
 * the arithmetic refuses, such as a solver that leaves float32, is given up; the others go on.
 */
public final class Evaluation {
  private static final int MAX_TOKENS = 32;

  private record Task(Condition condition, Question question) {}

  private final List<Condition> conditions;
  private final List<Question> questions;
  private final Journal journal;
  private final BooleanSupplier stop;
  private final Map<Condition, String> failed = new ConcurrentHashMap<>();

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

  /** What the arithmetic refused, in the order of the conditions. */
  public List<Failure> failures() {
    return conditions.stream()
        .filter(failed::containsKey)
        .map(condition -> new Failure(condition, failed.get(condition)))
        .toList();
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
        answer(engine, tasks);
        progress.done(tasks.size());
      }
    }
  }

  /** Asks all at once; where that is refused, condition by condition, to find the one that is. */
  private void answer(Engine engine, List<Task> all) {
    List<Task> tasks = all.stream().filter(t -> !failed.containsKey(t.condition())).toList();
    if (tasks.isEmpty()) {
      return;
    }
    try {
      journal.add(ask(engine, tasks));
    } catch (NativeException e) {
      if (e.status() != Status.UNSUPPORTED) {
        throw e;
      }
      Map<Condition, List<Task>> apart =
          tasks.stream()
              .collect(
                  Collectors.groupingBy(Task::condition, LinkedHashMap::new, Collectors.toList()));
      if (apart.size() == 1) {
        failed.put(tasks.get(0).condition(), e.getMessage());
      } else {
        apart.values().forEach(some -> answer(engine, some));
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
