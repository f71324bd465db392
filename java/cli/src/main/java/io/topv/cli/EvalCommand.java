package io.topv.cli;

import io.topv.cli.eval.Condition;
import io.topv.cli.eval.Conditions;
import io.topv.cli.eval.Evaluation;
import io.topv.cli.eval.Failure;
import io.topv.cli.eval.Journal;
import io.topv.cli.eval.Progress;
import io.topv.cli.eval.Question;
import io.topv.cli.eval.Score;
import io.topv.cli.eval.ScorePlot;
import io.topv.cli.eval.ScoreTable;
import io.topv.cli.eval.Subject;
import io.topv.engine.Engine;
import io.topv.engine.EngineOptions;
import io.topv.engine.TopvException;
import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import io.topv.runtime.ContextOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code topv eval}: how many questions are answered right, per method and budget. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Counts right answers (exact match, case and outer spaces aside) to questions about images,",
      "for ways to have fewer visual tokens:",
      "  none    every token;",
      "  random  tokens drawn by chance at the pruning layer, the mean of several seeds;",
      "  resize  the image is down-sampled before the model, to the square grid nearest to the",
      "          budget; the vision tower interpolates its positions;",
      "  topv    TopV with each solver.",
      "Intervals are Wilson's at 95 %. Ctrl-C stops; --resume goes on from what was found.",
      "Where a solver leaves float32 the cell says failed, the reason goes to standard error, the",
      "others go on, and the exit code is 1 at the end."
    },
    footer = {
      "",
      "Examples:",
      "  topv eval --limit 100 --methods none,topv --solvers one_sided",
      "  topv eval --split report --resume eval.jsonl --plot accuracy.svg",
      "  topv eval --split tune --methods topv --sweep \"epsilon=0.05,0.1,0.2;sigma=3,10\""
    })
final class EvalCommand implements Callable<Integer> {
  /** Parameters are chosen on the first of the questions, and reported on the others. */
  private static final int TUNING_QUESTIONS = 300;

  @Option(
      names = "--questions",
      paramLabel = "FILE",
      description = "JSONL with image, question, answer, type. Default: eval/questions.jsonl.")
  private Path questions;

  @Option(
      names = "--split",
      paramLabel = "all|tune|report",
      defaultValue = "all",
      description =
          "tune: the first "
              + TUNING_QUESTIONS
              + " questions, for choosing parameters; report: the others. Default: ${DEFAULT-VALUE}.")
  private String split;

  @Option(names = "--limit", paramLabel = "N", description = "At most the first N of the split.")
  private Integer limit;

  @Option(
      names = "--methods",
      paramLabel = "NAME,...",
      split = ",",
      defaultValue = "none,random,resize,topv",
      description = "Default: ${DEFAULT-VALUE}.")
  private List<String> methods;

  @Option(
      names = "--solvers",
      paramLabel = "NAME,...",
      split = ",",
      description =
          "Of topv, with the preset's other settings; \"default\" is the default preset."
              + " Default: all of these, none with --sweep.")
  private List<String> solvers;

  @Option(
      names = "--keep",
      paramLabel = "K,...",
      split = ",",
      defaultValue = "576,360,265,144,64,32",
      description = "Budgets; the largest is for none. Default: ${DEFAULT-VALUE}.")
  private List<Integer> budgets;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Of random. Default: ${DEFAULT-VALUE}.")
  private int seeds;

  @Option(
      names = "--sweep",
      paramLabel = "NAME=V,...;NAME=V,...",
      description =
          "TopV at every combination of layer, solver, epsilon, sigma, gamma, alpha, beta,"
              + " iterations, lambda, marginals, recover-every. Repeatable.")
  private List<String> sweeps = new ArrayList<>();

  @Option(
      names = "--output",
      paramLabel = "table|json|csv",
      defaultValue = "table",
      description = "table is Markdown. Default: ${DEFAULT-VALUE}.")
  private String output;

  @Option(
      names = "--by-type",
      paramLabel = "K",
      description = "A second table: types of question at this budget.")
  private Integer byType;

  @Option(
      names = "--best",
      paramLabel = "N",
      description = "Only the N methods with the best mean, best first.")
  private Integer best;

  @Option(
      names = "--resume",
      paramLabel = "FILE",
      description = "Answers go to this file as they are found, and are not asked for again.")
  private Path journal;

  @Option(names = "--plot", paramLabel = "FILE.svg", description = "Draws the table.")
  private Path plot;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description =
          "Engines side by side, each with --threads threads. Default: one per core, with one"
              + " thread each; 1 where --threads is given.")
  private Integer workers;

  @Option(
      names = "--sequences",
      paramLabel = "N",
      defaultValue = "8",
      description = "Questions that an engine answers at a time. Default: ${DEFAULT-VALUE}.")
  private int sequences;

  @Mixin private EngineMixin engine;
  @Mixin private PruneMixin prune;
  @Mixin private Verbose verbose;

  @Override
  public Integer call() {
    check();
    List<Question> all = Question.read(questionsFile());
    List<Question> asked = questions(all);
    List<Condition> conditions = conditions();
    Subject subject = Subject.of(engine.modelDir(), questionsFile(), all);
    try (Interrupt interrupt = new Interrupt();
        Journal known = new Journal(Optional.ofNullable(journal), subject.key())) {
      Evaluation evaluation = new Evaluation(conditions, asked, known, interrupt::wanted);
      evaluation.run(this::load, workers(), new Progress(System.err, System.console() != null));
      List<Failure> failures = evaluation.failures();
      failures.forEach(failure -> System.err.println("topv eval: " + failure));
      List<Score> every = Score.all(conditions, asked, known);
      List<Score> scores = best == null ? every : ScoreTable.best(every, failures, best);
      if (interrupt.wanted()) {
        System.err.println(
            journal == null
                ? "topv eval: stopped; with --resume FILE it could go on"
                : "topv eval: stopped; the same command goes on");
        return 0;
      }
      System.out.print(
          switch (output) {
            case "json" -> ScoreTable.json(subject.describe(), scores, failures);
            case "csv" -> ScoreTable.csv(scores);
            default ->
                ScoreTable.markdown(scores, failures)
                    + (byType == null ? "" : "\n" + ScoreTable.markdownByType(scores, byType));
          });
      if (plot != null) {
        write(
            ScorePlot.svg(
                scores, "Right answers of " + asked.size() + " questions, by visual tokens kept"));
      }
      return failures.isEmpty() ? 0 : Main.FAILED;
    }
  }

  private int workers() {
    if (workers != null) {
      return workers;
    }
    return onePerCore(engine.options(1, 1).device())
        ? Runtime.getRuntime().availableProcessors()
        : 1;
  }

  /** Small models gain more from questions side by side than from threads on one. */
  private Engine load(int layer) {
    EngineOptions options = engine.options(layer, sequences);
    ContextOptions device = options.device();
    boolean apart = workers() > 1 && onePerCore(device);
    return Engine.load(
        engine.modelDir(), apart ? options.withDevice(device.withThreads(1)) : options);
  }

  private static boolean onePerCore(ContextOptions device) {
    return device.backend().equals("cpu") && device.threads() == 0;
  }

  private void check() {
    if (!List.of("table", "json", "csv").contains(output)) {
      throw new TopvException(
          "output = \"" + output + "\" is unknown; expected table, json or csv");
    }
    if (plot != null && !plot.toString().toLowerCase(Locale.ROOT).endsWith(".svg")) {
      throw new TopvException("plot = " + plot + " does not end in .svg");
    }
    atLeastOne("limit", limit == null ? 1 : limit);
    atLeastOne("seeds", seeds);
    atLeastOne("best", best == null ? 1 : best);
    atLeastOne("workers", workers == null ? 1 : workers);
    atLeastOne("sequences", sequences);
    budgets.forEach(budget -> atLeastOne("keep", budget));
  }

  private static void atLeastOne(String name, int value) {
    if (value < 1) {
      throw new TopvException(name + " = " + value + " is not at least 1");
    }
  }

  private Path questionsFile() {
    return questions != null ? questions : Home.path("eval/questions.jsonl");
  }

  private List<Question> questions(List<Question> all) {
    int boundary = Math.min(TUNING_QUESTIONS, all.size());
    List<Question> chosen =
        switch (split) {
          case "all" -> all;
          case "tune" -> all.subList(0, boundary);
          case "report" -> all.subList(boundary, all.size());
          default ->
              throw new TopvException(
                  "split = \"" + split + "\" is unknown; expected all, tune or report");
        };
    if (chosen.isEmpty()) {
      throw new TopvException("split = " + split + " holds none of " + all.size() + " questions");
    }
    return limit == null ? chosen : chosen.subList(0, Math.min(limit, chosen.size()));
  }

  private List<Condition> conditions() {
    if (!(ModelConfig.load(engine.modelDir()) instanceof LlavaConfig llava)) {
      throw new TopvException(engine.modelDir() + ": this model reads text only");
    }
    return new Conditions(
            prune.settings(), llava.visualTokens(), llava.vision().patchSize(), budgets, seeds)
        .of(methods, Optional.ofNullable(solvers), sweeps);
  }

  private void write(String svg) {
    try {
      Files.writeString(plot, svg, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new TopvException(plot + ": cannot be written: " + e.getMessage(), e);
    }
  }
}
