package io.topv.engine.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.topv.engine.TopvException;
import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Penalties;
import io.topv.runtime.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static SamplingParams params(double temperature, int topK, double topP, double minP) {
    return new SamplingParams(
        10, temperature, topK, topP, minP, 1, 0, 0, OptionalLong.of(1), List.of(), -1, false);
  }

  private static SamplingParams penalties(double repetition, double presence, double frequency) {
    return new SamplingParams(
        10,
        0,
        0,
        1,
        0,
        repetition,
        presence,
        frequency,
        OptionalLong.empty(),
        List.of(),
        -1,
        false);
  }

  /** Frequencies of many draws from the same logits. */
  private static double[] draw(SamplingParams params, float... logits) {
    Sampler sampler = new Sampler(params, new int[0]);
    int draws = 40_000;
    double[] counts = new double[logits.length];
    for (int i = 0; i < draws; i++) {
      counts[sampler.next(logits.clone()).token()] += 1.0 / draws;
    }
    return counts;
  }

  private static float[] logs(double... probabilities) {
    float[] logits = new float[probabilities.length];
    IntStream.range(0, logits.length).forEach(i -> logits[i] = (float) Math.log(probabilities[i]));
    return logits;
  }

  @Test
  void greedyTakesTheLowestOfTheBest() {
    Sampler sampler = new Sampler(SamplingParams.greedy(1), new int[0]);
    assertThat(sampler.next(new float[] {1, 3, 3, 2}).token()).isEqualTo(1);
  }

  @Test
  void drawsFollowTheProbabilities() {
    double[] counts = draw(params(1, 0, 1, 0), logs(0.1, 0.6, 0.3));
    assertThat(counts).usingComparatorWithPrecision(0.01).containsExactly(0.1, 0.6, 0.3);
  }

  @Test
  void temperatureSharpensByPowers() {
    double[] counts = draw(params(0.5, 0, 1, 0), logs(0.2, 0.8));
    assertThat(counts[0]).isCloseTo(0.04 / 0.68, within(0.01));
  }

  @Test
  void cutsLeaveOnlyTheBest() {
    float[] logits = logs(0.05, 0.5, 0.15, 0.3);
    assertThat(draw(params(1, 2, 1, 0), logits))
        .usingComparatorWithPrecision(0.01)
        .containsExactly(0, 0.625, 0, 0.375);
    // 0.5 does not reach 0.6, 0.5 + 0.3 does
    assertThat(draw(params(1, 0, 0.6, 0), logits))
        .usingComparatorWithPrecision(0.01)
        .containsExactly(0, 0.625, 0, 0.375);
    // at least 0.4 of the best one's 0.5
    assertThat(draw(params(1, 0, 1, 0.4), logits))
        .usingComparatorWithPrecision(0.01)
        .containsExactly(0, 0.625, 0, 0.375);
    assertThat(draw(params(1, 0, 1e-9, 0), logits)[1]).isCloseTo(1, within(1e-9));
  }

  @Test
  void penaltiesAreThoseOfTheDeviceToTheBit() {
    Random random = new Random(8);
    float[] logits = new float[97];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = 4 * (float) random.nextGaussian();
    }
    int[] ids = random.ints(0, logits.length).distinct().limit(60).toArray();
    int[] times = random.ints(ids.length, 0, 4).toArray();
    Map<Integer, Integer> seen = new HashMap<>();
    IntStream.range(0, ids.length).forEach(i -> seen.put(ids[i], times[i]));
    try (Context context = Context.open(ContextOptions.cpu(1));
        DeviceBuffer row = context.allocate(DType.F32, 1, logits.length);
        DeviceBuffer entries = context.allocate(DType.I32, 3, ids.length);
        DeviceBuffer settings = context.allocate(DType.F32, 3, 1)) {
      Tensor x = row.tensor(DType.F32, 1, logits.length).put(logits);
      Tensor ints = entries.tensor(DType.I32, 3, ids.length);
      ints.rows(1, 1).put(ids);
      Tensor of = settings.tensor(DType.F32, 3, 1).put(new float[] {1.3f, 0.7f, 0.1f});
      Penalties penalties =
          new Penalties(
              ints.rows(0, 1).put(new int[ids.length]),
              ints.rows(1, 1),
              ints.rows(2, 1).put(times),
              of.rows(0, 1),
              of.rows(1, 1),
              of.rows(2, 1));
      context.ops().penalize(x, penalties);
      new Penalty(1.3f, 0.7f, 0.1f, seen).apply(logits);
      assertThat(x.toFloats()).containsExactly(logits);
    }
  }

  @Test
  void penaltiesAreThoseOfVllm() {
    // repetition: prompt and answer; positive logits are divided, negative ones multiplied
    Sampler repetition = new Sampler(penalties(2, 0, 0), new int[] {0});
    assertThat(repetition.next(new float[] {3, 2}).token()).isEqualTo(1);
    assertThat(new Sampler(penalties(2, 0, 0), new int[] {0}).next(new float[] {-1, -1.5f}).token())
        .isEqualTo(1);
    // presence: once, whatever the count; the prompt does not count
    Sampler presence = new Sampler(penalties(1, 1, 0), new int[] {0});
    assertThat(presence.next(new float[] {2, 1.5f}).token()).isZero();
    assertThat(presence.next(new float[] {2, 1.5f}).token()).isEqualTo(1);
    // frequency: once per occurrence
    Sampler frequency = new Sampler(penalties(1, 0, 0.4), new int[0]);
    int[] tokens =
        IntStream.range(0, 3).map(i -> frequency.next(new float[] {2, 1.5f}).token()).toArray();
    assertThat(tokens).containsExactly(0, 0, 1);
  }

  @Test
  void logprobsAreOfTheModelsOwnDistribution() {
    SamplingParams params =
        new SamplingParams(1, 0, 0, 1, 0, 1, 0, 0, OptionalLong.empty(), List.of(), 2, false);
    TokenLogprobs at =
        new Sampler(params, new int[0]).next(logs(0.1, 0.6, 0.3)).logprobs().orElseThrow();
    assertThat(at.token()).isEqualTo(1);
    assertThat(at.logprob()).isCloseTo(Math.log(0.6), within(1e-6));
    assertThat(at.top()).extracting(TokenLogprobs.Candidate::token).containsExactly(1, 2);
    assertThat(at.top().get(1).logprob()).isCloseTo(Math.log(0.3), within(1e-6));
  }

  @Test
  void bestEqualsASort() {
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      int n = 1 + random.nextInt(50);
      float[] logits = new float[n];
      for (int i = 0; i < n; i++) {
        logits[i] = random.nextInt(10);
      }
      int count = random.nextInt(n + 1);
      int[] sorted =
          IntStream.range(0, n)
              .boxed()
              .sorted(
                  (a, b) -> logits[a] != logits[b] ? Float.compare(logits[b], logits[a]) : a - b)
              .limit(count)
              .mapToInt(Integer::intValue)
              .toArray();
      assertThat(Logprobs.best(logits, count)).containsExactly(sorted);
    }
  }

  @Test
  void rangesAreChecked() {
    assertThatThrownBy(() -> params(-1, 0, 1, 0))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("temperature");
    assertThatThrownBy(() -> params(1, 0, 0, 0)).hasMessageContaining("top-p");
    assertThatThrownBy(() -> params(1, 0, 1, 2)).hasMessageContaining("min-p");
    assertThatThrownBy(() -> params(Double.NaN, 0, 1, 0)).hasMessageContaining("temperature");
  }
}
