package io.topv.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.topv.engine.TopvException;
import io.topv.engine.prune.TopvSettings;
import io.topv.engine.prune.VisualSpan;
import io.topv.runtime.Solver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalTest {
  private static final List<Integer> BUDGETS = List.of(576, 360, 265, 144, 64, 32);
  private static final Conditions CONDITIONS =
      new Conditions(TopvSettings.PAPER, 576, 14, BUDGETS, 5);

  @TempDir Path dir;

  @Test
  void readsTheQuestionsThatShip() {
    List<Question> all =
        Question.read(Path.of(System.getProperty("topv.root"), "eval/questions.jsonl"));
    assertThat(all).hasSize(1000);
    assertThat(all).allSatisfy(q -> assertThat(q.image()).exists());
    // Choosing and reporting share no image.
    assertThat(all.subList(0, 300).stream().map(Question::image))
        .doesNotContainAnyElementsOf(all.subList(300, 1000).stream().map(Question::image).toList());
  }

  @Test
  void comparesAnswersWithoutCaseAndOuterSpaces() {
    Question question = question(0, "bottom left", "position");
    assertThat(question.isAnsweredBy(" Bottom LEFT\n")).isTrue();
    assertThat(question.isAnsweredBy("bottom")).isFalse();
    assertThat(question.isAnsweredBy("")).isFalse();
  }

  @Test
  void namesFileLineAndFieldOfABadQuestion() throws Exception {
    Path file = dir.resolve("q.jsonl");
    Files.writeString(file, "{\"image\":\"a\",\"question\":\"?\",\"answer\":3,\"type\":\"t\"}\n");
    assertThatThrownBy(() -> Question.read(file))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("q.jsonl: line 1: answer = 3");
    Files.writeString(file, "{\n");
    assertThatThrownBy(() -> Question.read(file))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("line 1: is not JSON");
    Files.writeString(file, "");
    assertThatThrownBy(() -> Question.read(file)).hasMessageContaining("holds no question");
  }

  @Test
  void wilsonIntervalAgreesWithPublishedValues() {
    // Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    check(81, 263, 0.2553, 0.3662);
    check(15, 148, 0.0624, 0.1605);
    check(0, 20, 0.0000, 0.1611);
    check(1, 29, 0.0061, 0.1718);
  }

  private static void check(int correct, int total, double low, double high) {
    Proportion p = new Proportion(correct, total);
    assertThat(p.low()).isCloseTo(low, within(5e-5));
    assertThat(p.high()).isCloseTo(high, within(5e-5));
  }

  @Test
  void everyBudgetIsMetExactly() {
    List<Condition> all =
        CONDITIONS.of(List.of("none", "random", "resize", "topv"), Optional.empty(), List.of());
    assertThat(all).hasSize(1 + 5 * 5 + 5 + 6 * 5);
    assertThat(all.stream().filter(c -> !c.variant().equals("default")).map(Condition::key))
        .doesNotHaveDuplicates();
    for (Condition c : all) {
      if (!c.method().equals("resize")) {
        assertThat(c.pruning().kept(new VisualSpan(0, 24, 24))).isEqualTo(c.budget());
      }
    }
  }

  @Test
  void keysNameTheRecoveryThatABudgetLeaves() {
    List<Condition> all =
        CONDITIONS.of(List.of("topv"), Optional.of(List.of("one_sided")), List.of());
    assertThat(all.stream().map(c -> c.key().replaceAll(".*recover-every=", "")))
        .containsExactly("4/keep=360", "4/keep=265", "7/keep=144", "17/keep=64", "35/keep=32");
  }

  @Test
  void resizeTakesTheNearestSquareGrid() {
    assertThat(
            CONDITIONS.of(List.of("resize"), Optional.empty(), List.of()).stream()
                .mapToInt(c -> c.side().getAsInt() / 14))
        .containsExactly(19, 16, 12, 8, 6);
  }

  @Test
  void aSweepIsEveryCombination() {
    Map<String, TopvSettings> points =
        Settings.sweep(TopvSettings.PAPER, "epsilon=0.05,0.1; solver=printed,unbalanced");
    assertThat(points.keySet())
        .containsExactly(
            "epsilon=0.05 solver=printed",
            "epsilon=0.05 solver=unbalanced",
            "epsilon=0.1 solver=printed",
            "epsilon=0.1 solver=unbalanced");
    TopvSettings last = points.get("epsilon=0.1 solver=unbalanced");
    assertThat(last)
        .isEqualTo(Settings.with(TopvSettings.PAPER, "solver", "unbalanced"))
        .satisfies(s -> assertThat(s.solver()).isEqualTo(Solver.UNBALANCED));
    for (String bad : List.of("epsilon", "width=3", "sigma=x", "layer=0", "solver=best")) {
      assertThatThrownBy(() -> Settings.sweep(TopvSettings.PAPER, bad))
          .as(bad)
          .isInstanceOf(TopvException.class);
    }
  }

  @Test
  void anInterruptedRunIsRememberedUpToItsLastWholeLine() throws Exception {
    Path file = dir.resolve("journal.jsonl");
    Condition none = Condition.none(2, 576);
    try (Journal journal = new Journal(Optional.of(file), "weights a")) {
      journal.add(List.of(new Outcome("none", 3, "r\"ed", true, 576)));
    }
    Files.writeString(
        file, "{\"condition\":\"none\",\"quest", StandardCharsets.UTF_8, StandardOpenOption.APPEND);
    try (Journal journal = new Journal(Optional.of(file), "weights a")) {
      assertThat(journal.outcome(none, question(3, "red", "color")))
          .contains(new Outcome("none", 3, "r\"ed", true, 576));
      assertThat(journal.outcome(none, question(4, "red", "color"))).isEmpty();
    }
    assertThatThrownBy(() -> new Journal(Optional.of(file), "weights b"))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("weights a");
  }

  @Test
  void scoresCountPerMethodBudgetSeedAndType() {
    List<Question> questions =
        List.of(question(0, "red", "color"), question(1, "3", "count"), question(2, "x", "color"));
    Conditions two = new Conditions(TopvSettings.PAPER, 576, 14, List.of(576, 64), 2);
    List<Condition> conditions =
        two.of(List.of("none", "random", "topv"), Optional.of(List.of("printed")), List.of());
    try (Journal journal = new Journal(Optional.empty(), "weights a")) {
      List<Outcome> outcomes = new ArrayList<>();
      for (Condition c : conditions) {
        for (Question q : questions) {
          boolean right =
              switch (c.method()) {
                case "none" -> true;
                case "random" -> c.key().contains("seed=1") && q.index() > 0;
                default -> q.index() == 0;
              };
          if (!(c.method().equals("topv") && q.index() == 2)) {
            outcomes.add(new Outcome(c.key(), q.index(), "", right, c.budget()));
          }
        }
      }
      journal.add(outcomes);
      assertThat(Score.all(conditions, questions, journal))
          .as("what is unfinished has no score")
          .extracting(Score::name)
          .containsExactly("none", "random");
      journal.add(List.of(new Outcome(conditions.get(3).key(), 2, "", false, 64)));
      List<Score> scores = Score.all(conditions, questions, journal);
      assertThat(scores).extracting(Score::name).containsExactly("none", "random", "topv printed");
      Score random = scores.get(1);
      assertThat(random.accuracy().value()).isCloseTo(1 / 3.0, within(1e-12));
      assertThat(random.perSeed()).containsExactly(0, 2 / 3.0);
      assertThat(random.byType().get("color")).isEqualTo(new Proportion(0.5, 2));
      assertThat(ScoreTable.markdown(scores, List.of()))
          .contains("| method       | 576 ")
          .contains("**100.0** [43.9, 100.0]")
          .contains("seeds 0.0 to 66.7");
      assertThat(ScoreTable.best(scores, List.of(), 1))
          .extracting(Score::name)
          .containsExactly("random");
      assertThat(ScoreTable.markdownByType(scores, 64)).contains("color (2)", "count (1)");
      assertThat(ScoreTable.csv(scores).lines()).hasSize(4);
      assertThat(ScoreTable.json(Map.of("model", "m"), scores, List.of())).contains("\"by_type\"");
      List<Failure> failures = List.of(new Failure(conditions.get(2), "too hot"));
      assertThat(ScoreTable.best(scores, failures, 1))
          .as("what failed somewhere has no mean")
          .extracting(Score::name)
          .containsExactly("topv printed");
      assertThat(ScoreTable.json(Map.of("model", "m"), scores, failures))
          .contains("random at 64 failed: too hot");
      assertThat(ScorePlot.svg(scores, "a < b")).contains("a &lt; b").doesNotContain("NaN");
    }
  }

  private static Question question(int index, String answer, String type) {
    return new Question(index, Path.of("none.png"), "?", answer, type);
  }
}
