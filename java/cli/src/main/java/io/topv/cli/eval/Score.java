package io.topv.cli.eval;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A method at a budget.
 *
 * @param budget visual tokens asked for
 * @param tokens visual tokens that stayed
 * @param accuracy mean over seeds, of as many questions as were asked once
 * @param perSeed accuracy of each seed; one value where there are no seeds
 * @param byType accuracy per type of question, likewise
 */
public record Score(
    String method,
    String variant,
    int budget,
    int tokens,
    Proportion accuracy,
    double[] perSeed,
    Map<String, Proportion> byType) {

  /** Method and variant. */
  public String name() {
    return variant.isEmpty() ? method : method + " " + variant;
  }

  public double lowestSeed() {
    return Arrays.stream(perSeed).min().orElse(0);
  }

  public double highestSeed() {
    return Arrays.stream(perSeed).max().orElse(0);
  }

  /** In the order of the conditions; conditions that the journal lacks answers of are left out. */
  public static List<Score> all(
      List<Condition> conditions, List<Question> questions, Journal journal) {
    Map<String, List<Condition>> groups = new LinkedHashMap<>();
    for (Condition c : conditions) {
      groups
          .computeIfAbsent(
              c.method() + "/" + c.variant() + "/" + c.budget(), key -> new ArrayList<>())
          .add(c);
    }
    List<Score> scores = new ArrayList<>();
    groups.values().forEach(seeds -> of(seeds, questions, journal).ifPresent(scores::add));
    return scores;
  }

  private static Optional<Score> of(
      List<Condition> seeds, List<Question> questions, Journal journal) {
    double[] perSeed = new double[seeds.size()];
    Map<String, double[]> correctAndTotal = new TreeMap<>();
    double correct = 0;
    int tokens = 0;
    for (int seed = 0; seed < perSeed.length; seed++) {
      int right = 0;
      for (Question question : questions) {
        Optional<Outcome> outcome = journal.outcome(seeds.get(seed), question);
        if (outcome.isEmpty()) {
          return Optional.empty();
        }
        int one = outcome.get().correct() ? 1 : 0;
        right += one;
        tokens = outcome.get().tokens();
        double[] ofType = correctAndTotal.computeIfAbsent(question.type(), t -> new double[2]);
        ofType[0] += one;
        ofType[1]++;
      }
      perSeed[seed] = right / (double) questions.size();
      correct += right;
    }
    int runs = perSeed.length;
    Map<String, Proportion> byType = new TreeMap<>();
    correctAndTotal.forEach(
        (type, of) -> byType.put(type, new Proportion(of[0] / runs, (int) of[1] / runs)));
    Condition first = seeds.get(0);
    return Optional.of(
        new Score(
            first.method(),
            first.variant(),
            first.budget(),
            tokens,
            new Proportion(correct / runs, questions.size()),
            perSeed,
            byType));
  }
}
