package io.topv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class KernelBenchTest {
  private static final Set<String> ROUTINES =
      Set.of(
          "rms_norm",
          "layer_norm",
          "silu_mul",
          "gelu",
          "rope",
          "embed",
          "rows_gather",
          "kv_append",
          "kv_gather",
          "gemm",
          "attention_prefill",
          "attention_decode",
          "transport_cost",
          "sinkhorn",
          "token_select",
          "selection");

  private static Cli bench(String... options) {
    String[] all = new String[options.length + 6];
    List<String> fixed = List.of("bench", "kernel", "--seconds", "0.001", "--threads", "2");
    for (int i = 0; i < all.length; i++) {
      all[i] = i < 6 ? fixed.get(i) : options[i - 6];
    }
    return Cli.run(all);
  }

  private static JsonNode results(Cli run) {
    return JsonMapper.shared().readTree(run.out()).get("results");
  }

  @Test
  void everyRoutineIsCheckedAndTimedOnTheCpu() {
    Cli run = bench("--quick", "--dtype", "f32,bf16", "--provider", "cpu", "--format", "json");
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    Set<String> seen = new TreeSet<>();
    for (JsonNode row : results(run)) {
      seen.add(row.get("routine").asString());
      assertThat(row.has("problem")).as(row.toString()).isFalse();
      assertThat(row.get("warm_us").asDouble()).isPositive();
      assertThat(row.get("cold_us").asDouble()).isPositive();
      assertThat(row.get("warm_p20_us").asDouble())
          .isLessThanOrEqualTo(row.get("warm_us").asDouble());
      assertThat(row.get("percent_of_peak").asDouble()).isPositive();
    }
    assertThat(seen).isEqualTo(new TreeSet<>(ROUTINES));
  }

  @Test
  void aDeviceThatIsMissingIsNamedInItsRow() {
    Cli run = bench("--quick", "--routine", "gelu", "--provider", "cpu,cuda", "--format", "json");
    assertThat(run.code()).isZero();
    JsonNode cuda = results(run).get(1);
    assertThat(cuda.get("provider").asString()).isEqualTo("cuda");
    if (cuda.has("problem")) { // no GPU here
      assertThat(cuda.get("problem").asString()).startsWith("no device: ");
      assertThat(cuda.has("warm_us")).isFalse();
    } else {
      assertThat(cuda.get("warm_us").asDouble()).isPositive();
    }
  }

  @Test
  void pythonWithoutTorchIsNamedInItsRow() {
    Cli run = bench("--case", "gelu rows=2 cols=8", "--provider", "torch", "--python", "/nowhere");
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("no torch: /nowhere");
  }

  @Test
  void theCommandOfARowRepeatsIt() {
    Cli run = bench("--quick", "--routine", "gemm", "--provider", "cpu", "--format", "json");
    String command = results(run).get(0).get("command").asString();
    assertThat(command)
        .isEqualTo(
            "topv bench kernel --case \"gemm dtype=bf16 m=1 n=96 k=64\" --provider cpu"
                + " --seconds 0.001");
    Cli again =
        bench("--case", "gemm dtype=bf16 m=1 n=96 k=64", "--provider", "cpu", "--format", "json");
    assertThat(results(again).get(0).get("shape").asString()).isEqualTo("m=1 n=96 k=64");
  }

  @Test
  void formatsHoldTheSameColumns() {
    String[] of = {"--case", "silu_mul rows=3 cols=16", "--provider", "cpu", "--format"};
    List<String> csv = bench(with(of, "csv")).out().lines().toList();
    assertThat(csv).hasSize(2);
    assertThat(csv.get(0)).startsWith("routine,dtype,shape,provider,error,warm_us,");
    assertThat(csv.get(1)).startsWith("silu_mul,bf16,rows=3 cols=16,cpu,");
    String markdown = bench(with(of, "markdown")).out();
    assertThat(markdown).contains("| routine | dtype | shape | provider | error | warm_us |");
    String table = bench(with(of, "table")).out();
    assertThat(table).contains("percent_of_peak").contains("topv bench kernel --case");
  }

  private static String[] with(String[] options, String last) {
    String[] all = java.util.Arrays.copyOf(options, options.length + 1);
    all[options.length] = last;
    return all;
  }

  @Test
  void listNamesTheCasesOfLlava() {
    Cli run = bench("--list");
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("transport_cost dtype=bf16 images=32 side=24 cols=4096");
  }

  @Test
  void whatIsNotKnownIsRefused() {
    assertThat(bench("--routine", "nothing").err()).contains("nothing").contains("rms_norm");
    assertThat(bench("--dtype", "f64", "--list").err()).contains("f64");
    assertThat(bench("--case", "gemm m=1 n=2", "--provider", "cpu").err()).contains("lacks k");
    assertThat(bench("--case", "gelu rows=x", "--provider", "cpu").err()).contains("rows=x");
    assertThat(bench("--quick", "--provider", "tpu").err()).contains("tpu");
  }
}
