package io.topv.cli;

import io.topv.engine.Answer;
import io.topv.engine.Engine;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.prune.RandomPruning;
import io.topv.engine.prune.TopvPruning;
import io.topv.engine.prune.TopvSettings;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import java.util.Locale;

/** The short report after an answer. */
final class RunReport {
  private RunReport() {}

  static String of(Answer answer, PruningMethod method, Engine engine) {
    StringBuilder out = new StringBuilder();
    int number = 0;
    for (Answer.ImageReport image : answer.images()) {
      number++;
      out.append(
          "image %d    %d of %d visual tokens kept (%d x %d), %s%s%n"
              .formatted(
                  number,
                  image.kept().length,
                  image.visualTokens(),
                  image.width(),
                  image.height(),
                  settings(method, image.visualTokens()),
                  image.notApplied().map(why -> "; not applied: " + why).orElse("")));
    }
    if (answer.images().isEmpty() && answer.notApplied().isPresent()) {
      out.append("pruning    not applied: ").append(answer.notApplied().get()).append('\n');
    }
    Answer.Timings t = answer.timings();
    out.append(
        "time       first token after %s ms: image %s, vision %s, prefill %s, selection %s; decode %s ms%n"
            .formatted(
                ms(t.timeToFirstToken()),
                ms(t.image()),
                ms(t.vision()),
                ms(t.prefill()),
                ms(t.selection()),
                ms(t.decode())));
    int generated = answer.tokenIds().length;
    double rate = t.tokensPerSecond(generated);
    out.append(
        "tokens     %d in, %d out (%s)%s%n"
            .formatted(
                answer.promptTokens(),
                generated,
                answer.finishReason().name().toLowerCase(Locale.ROOT),
                rate > 0 ? String.format(Locale.ROOT, ", %.1f tokens/s", rate) : ""));
    out.append(
        "engine     %s, peak memory %d MiB%n"
            .formatted(
                engine.dtype() == DType.BF16 ? "bfloat16" : "float32", Context.peakMemory() >> 20));
    return out.toString();
  }

  private static String ms(double millis) {
    return String.format(Locale.ROOT, millis < 10 ? "%.1f" : "%.0f", millis);
  }

  private static String settings(PruningMethod method, int tokens) {
    if (method instanceof TopvPruning topv) {
      TopvSettings s = topv.settings();
      return "topv after layer %d (%s, epsilon %s, %s)"
          .formatted(
              s.layer(),
              s.solver().name().toLowerCase(Locale.ROOT),
              s.epsilon(),
              recovery(s.recoverEvery(), topv.recoverEvery(tokens)));
    }
    if (method instanceof RandomPruning random) {
      return "random after layer %d (seed %d)".formatted(random.layer(), random.seed());
    }
    return method.name();
  }

  private static String recovery(int asked, int every) {
    String used = every == 0 ? "recover none" : "recover every " + every;
    return asked == every ? used : used + ": every " + asked + " would fill more than half";
  }
}
