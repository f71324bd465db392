package io.topv.cli.bench;

import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import io.topv.runtime.NativeException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A backend of ours: what it computes is checked before it is timed. */
final class TopvProvider implements Provider {
  private static final int PEAK_SIZE_CPU = 1024;
  private static final int PEAK_SIZE_GPU = 8192;
  private static final int PEAK_SIZE_QUICK = 256;

  private static final JsonMapper JSON = new JsonMapper();

  private final String name;
  private final Context context;
  private final Stopwatch stopwatch;
  private final boolean quick;
  private final Map<DType, KernelResult.Peaks> peaks = new EnumMap<>(DType.class);

  private TopvProvider(String name, Context context, double seconds, boolean quick) {
    this.name = name;
    this.context = context;
    this.quick = quick;
    this.stopwatch = new Stopwatch(context, seconds);
  }

  /**
   * Where the device is missing, one that says so for each case.
   *
   * @param quick find the device's peak with a small product, not a large one
   */
  static Provider open(String name, ContextOptions options, double seconds, boolean quick) {
    try {
      return new TopvProvider(name, Context.open(options), seconds, quick);
    } catch (NativeException e) {
      return Provider.missing(name, "no device: " + e.getMessage());
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String describe() {
    JsonNode all = JSON.readTree(context.describe());
    StringBuilder text = new StringBuilder(all.get("device").asString());
    for (String field : List.of("isa", "threads", "multiprocessors")) {
      if (all.has(field)) {
        text.append(", ").append(field).append(' ').append(all.get(field).asString());
      }
    }
    context.options().attention().ifPresent(by -> text.append(", attention by ").append(by));
    return text.toString();
  }

  /** Attention alone has providers of its own; else they would measure the same thing again. */
  @Override
  public boolean offers(KernelCase of) {
    return context.options().attention().isEmpty() || of.isAttention();
  }

  /** Kernels started up to now, where the backend counts them; not those of other providers. */
  private Optional<Integer> launches() {
    if (context.options().attention().isPresent()) {
      return Optional.empty();
    }
    JsonNode count = JSON.readTree(context.describe()).get("launches");
    return Optional.ofNullable(count).map(JsonNode::asInt);
  }

  @Override
  public KernelResult measure(KernelCase of) {
    try (BenchMemory memory = new BenchMemory(context)) {
      Kernel.Prepared prepared = Kernel.named(of.routine()).builder().prepare(memory, of);
      Optional<Integer> before = launches();
      prepared.run().run();
      Optional<Integer> launches = launches().map(after -> after - before.orElseThrow());
      context.synchronize();
      double error = prepared.error().getAsDouble();
      double allowed = Agreement.allowed(of.dtype());
      if (!(error <= allowed)) {
        return KernelResult.problem(
            of, name, "wrong: off by %.3g, allowed %.3g".formatted(error, allowed));
      }
      return KernelResult.of(
          of,
          name,
          new KernelResult.Measured(
              error,
              stopwatch.warm(prepared.run()),
              stopwatch.cold(prepared.run()),
              prepared.flops(),
              prepared.bytes(),
              launches,
              peaks.computeIfAbsent(of.dtype(), this::measurePeaks)));
    } catch (NativeException e) {
      return KernelResult.problem(of, name, e.getMessage());
    }
  }

  private KernelResult.Peaks measurePeaks(DType dtype) {
    int size = quick ? PEAK_SIZE_QUICK : context.isGpu() ? PEAK_SIZE_GPU : PEAK_SIZE_CPU;
    KernelCase product = KernelCase.parse("gemm m=%1$d n=%1$d k=%1$d".formatted(size)).with(dtype);
    try (BenchMemory memory = new BenchMemory(context)) {
      Kernel.Prepared prepared = Kernel.named("gemm").builder().prepare(memory, product);
      double seconds = stopwatch.warm(prepared.run()).median() / 1e3;
      return new KernelResult.Peaks(prepared.flops() / seconds, stopwatch.copyBandwidth());
    }
  }

  @Override
  public void close() {
    stopwatch.close();
    context.close();
  }
}
