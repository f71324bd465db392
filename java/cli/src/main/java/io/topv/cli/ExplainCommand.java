package io.topv.cli;

import io.topv.cli.draw.Lettering;
import io.topv.cli.explain.Explanation;
import io.topv.cli.explain.ExplanationPainter;
import io.topv.cli.explain.ModelView;
import io.topv.engine.Answer;
import io.topv.engine.Answer.ImageReport;
import io.topv.engine.Engine;
import io.topv.engine.Request;
import io.topv.engine.TopvException;
import io.topv.engine.image.PngEncoder;
import io.topv.engine.prune.Budget;
import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.RandomPruning;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code topv explain}: which visual tokens stay, as a picture. */
@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Draws which visual tokens stay: the picture as the model sees it, the importance of each",
      "token as a heat map, and the picture with its pruned tokens dimmed."
    },
    footer = {
      "",
      "Examples:",
      "  topv explain --out explain.png",
      "  topv explain --image a.jpg --prompt \"What is this?\" --prune-keep 64 --topv-recover-every 0 --out a.png"
    })
final class ExplainCommand implements Callable<Integer> {
  /** 265 of 576 tokens stay: the paper's "51 %" row. */
  private static final double DEFAULT_RATE = 0.54;

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "JPEG, PNG, WebP, GIF or BMP. Default: docs/examples/shapes.png.")
  private Path image;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      defaultValue = "How many circles are there?",
      description = "The question. Default: ${DEFAULT-VALUE}")
  private String prompt;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      defaultValue = "explain.png",
      description = "The PNG file to write. Default: ${DEFAULT-VALUE}.")
  private Path out;

  @Mixin private EngineMixin engine;
  @Mixin private PruneMixin prune;
  @Mixin private SamplingMixin sampling;
  @Mixin private Verbose verbose;

  @Override
  public Integer call() {
    Path file = image != null ? image : Home.path("docs/examples/shapes.png");
    PruningMethod method = method();
    Request request = Request.of(prompt, file).withSampling(sampling.params());
    try (Interrupt interrupt = new Interrupt();
        Engine loaded = engine.load(method.layer(), 1)) {
      Answer pruned = loaded.generate(request.withPruning(method), text -> !interrupt.wanted());
      Answer whole =
          loaded.generate(
              request.withPruning(new NoPruning(method.layer())), text -> !interrupt.wanted());
      if (interrupt.wanted()) {
        return 0;
      }
      Explanation explanation = explanation(file, method, pruned, whole);
      PngEncoder.write(out, ExplanationPainter.paint(explanation, Lettering.best()));
      System.out.println(
          "%s: kept %d of %d visual tokens; answer \"%s\", without pruning \"%s\""
              .formatted(
                  out,
                  explanation.kept().length,
                  explanation.tokens(),
                  pruned.text().strip(),
                  whole.text().strip()));
    }
    return 0;
  }

  private PruningMethod method() {
    PruningMethod asked = prune.method();
    return asked instanceof NoPruning
        ? new TopvPruning(prune.settings(), new Budget.Rate(DEFAULT_RATE), OptionalInt.empty())
        : asked;
  }

  private Explanation explanation(Path file, PruningMethod method, Answer pruned, Answer whole) {
    ImageReport report = pruned.images().get(0);
    if (report.height() == 1 || report.width() * report.height() != report.visualTokens()) {
      throw new TopvException(
          engine.modelDir() + ": its " + report.visualTokens() + " visual tokens form no grid");
    }
    int n = report.visualTokens();
    int top = method instanceof TopvPruning topv ? topv.byImportance(n) : n;
    List<String> captions = new ArrayList<>();
    captions.add(
        "With %d of %d visual tokens: \"%s\".   With all of them: \"%s\"."
            .formatted(
                report.kept().length,
                report.visualTokens(),
                pruned.text().strip(),
                whole.text().strip()));
    report.notApplied().ifPresent(why -> captions.add("Nothing was pruned: " + why));
    return new Explanation(
        ModelView.of(file, engine.modelDir()),
        report.width(),
        report.height(),
        report.importance(),
        report.kept(),
        report.importance().length == 0
            ? new int[0]
            : Explanation.recovered(report.importance(), report.kept(), top),
        prompt,
        captions,
        List.of(settings(method, n)));
  }

  private static String settings(PruningMethod method, int tokens) {
    if (method instanceof RandomPruning random) {
      return "random: layer %d, seed %d".formatted(random.layer(), random.seed());
    }
    if (!(method instanceof TopvPruning topv)) {
      return method.name();
    }
    TopvSettings s = topv.settings();
    int every = topv.recoverEvery(tokens);
    return String.format(
        Locale.ROOT,
        "TopV after layer %d: solver %s, %d iterations, alpha %s, beta %s, gamma %s, sigma %s,"
            + " epsilon %s, %s marginals, recover every %s",
        s.layer(),
        s.solver().name().toLowerCase(Locale.ROOT),
        s.iterations(),
        number(s.alpha()),
        number(s.beta()),
        number(s.gamma()),
        number(s.sigma()),
        number(s.epsilon()),
        s.uniform() ? "uniform" : "norm",
        every == 0 ? "none" : every + "th");
  }

  private static String number(float value) {
    return value == Math.rint(value) ? Integer.toString((int) value) : Float.toString(value);
  }
}
