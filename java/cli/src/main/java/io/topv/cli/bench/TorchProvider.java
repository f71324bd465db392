package io.topv.cli.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** PyTorch, in a process of scripts/bench_torch.py: a case per line, a result per line. */
final class TorchProvider implements Provider {

  /** What of PyTorch is measured. */
  enum Way {
    /** Each routine as one would write it. */
    EAGER,
    /** The same, compiled. */
    COMPILE,
    /** Attention by FlashAttention-2. */
    FLASH,
    /** Attention by cuDNN. */
    CUDNN
  }

  private static final JsonMapper JSON = new JsonMapper();

  private final String name;
  private final Way way;
  private final double seconds;
  private final Process process;
  private final BufferedReader in;
  private final PrintStream out;
  private final String description;

  private TorchProvider(String name, Way way, double seconds, Process process) throws IOException {
    this.name = name;
    this.way = way;
    this.seconds = seconds;
    this.process = process;
    this.in =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    this.out = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    this.description = in.readLine();
    if (description == null) {
      throw new IOException("it ended at once");
    }
  }

  /**
   * @param python the interpreter that has torch
   * @param threads of the CPU; 0 = what torch takes
   */
  static Provider open(
      String name, Path script, String python, Way way, int threads, double seconds) {
    try {
      Process process =
          new ProcessBuilder(python, script.toString(), Integer.toString(threads))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      return new TorchProvider(name, way, seconds, process);
    } catch (IOException e) {
      return Provider.missing(
          name, "no torch: " + python + " " + script.getFileName() + ": " + e.getMessage());
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String describe() {
    return description;
  }

  @Override
  public boolean offers(KernelCase of) {
    return way == Way.EAGER || way == Way.COMPILE || of.isAttention();
  }

  @Override
  public KernelResult measure(KernelCase of) {
    Map<String, Object> question = new LinkedHashMap<>();
    question.put("routine", of.routine());
    question.put("dtype", of.dtypeName());
    question.put("sizes", of.sizes());
    question.put("way", way.name().toLowerCase(Locale.ROOT));
    question.put("seconds", seconds);
    out.println(JSON.writeValueAsString(question));
    String line;
    try {
      line = in.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (line == null) {
      return KernelResult.problem(of, name, "torch ended");
    }
    JsonNode answer = JSON.readTree(line);
    if (answer.has("problem")) {
      return KernelResult.problem(of, name, answer.get("problem").asString());
    }
    double error = answer.get("error").asDouble();
    if (!(error <= Agreement.allowed(of.dtype()))) {
      return KernelResult.problem(of, name, "wrong: off by %.3g".formatted(error));
    }
    return KernelResult.of(
        of,
        name,
        new KernelResult.Measured(
            error,
            samples(answer.get("warm")),
            samples(answer.get("cold")),
            answer.get("flops").asDouble(),
            answer.get("bytes").asDouble(),
            answer.has("launches") ? Optional.of(answer.get("launches").asInt()) : Optional.empty(),
            new KernelResult.Peaks(
                answer.get("peak_flops").asDouble(), answer.get("peak_bytes").asDouble())));
  }

  private static Samples samples(JsonNode values) {
    List<Double> millis = new ArrayList<>();
    values.forEach(value -> millis.add(value.asDouble()));
    return new Samples(millis);
  }

  @Override
  public void close() {
    out.close();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroy();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroy();
    }
  }
}
