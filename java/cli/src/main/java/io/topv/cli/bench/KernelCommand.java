package io.topv.cli.bench;

import io.topv.cli.Home;
import io.topv.engine.TopvException;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code topv bench kernel}: routines x shapes x dtypes x providers, checked and timed. */
@Command(
    name = "kernel",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Times the routines of the engine, each checked against a plain computation first.",
      "Providers: cpu and cuda are ours; flash_topv, flash_torch and flash_cudnn are attention"
          + " through the FlashAttention preset, on the GPU; torch and torch_compile are PyTorch,"
          + " on the GPU where it sees one, in a process of Python; torch_flash and torch_cudnn are"
          + " attention by PyTorch's FlashAttention-2 and cuDNN."
    })
final class KernelCommand implements Callable<Integer> {
  @Option(
      names = "--routine",
      split = ",",
      paramLabel = "NAME",
      description = "Which; default: all. See --list.")
  private List<String> routines = List.of();

  @Option(
      names = "--dtype",
      split = ",",
      paramLabel = "f32|bf16",
      defaultValue = "bf16",
      description = "Default: ${DEFAULT-VALUE}.")
  private List<String> dtypes;

  @Option(names = "--quick", description = "Small shapes instead of those of LLaVA-1.5-7B.")
  private boolean quick;

  @Option(
      names = "--case",
      paramLabel = "CASE",
      description = "These instead, e.g. \"gemm dtype=bf16 m=1 n=4096 k=4096\".")
  private List<String> cases = List.of();

  @Option(
      names = "--provider",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "cpu,cuda,torch,torch_compile",
      description = "Default: ${DEFAULT-VALUE}.")
  private List<String> providers;

  @Option(
      names = "--baseline",
      paramLabel = "NAME",
      defaultValue = "torch",
      description = "Provider that speed_up refers to. Default: ${DEFAULT-VALUE}.")
  private String baseline;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "0.5",
      description = "Sampling time per case, warm and cold each. Default: ${DEFAULT-VALUE}.")
  private double seconds;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "CPU threads; 0 = all. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(
      names = "--python",
      paramLabel = "FILE",
      defaultValue = "python3",
      description = "An interpreter that has torch. Default: ${DEFAULT-VALUE}.")
  private String python;

  @Option(
      names = "--format",
      paramLabel = "table|csv|json|markdown",
      defaultValue = "table",
      description = "Default: ${DEFAULT-VALUE}.")
  private KernelReport.Format format;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Where the report goes. Default: standard output.")
  private Path output;

  @Option(names = "--list", description = "Names the cases and measures nothing.")
  private boolean list;

  @Override
  public Integer call() throws IOException {
    List<KernelCase> wanted = wanted();
    if (list) {
      wanted.forEach(System.out::println);
      return 0;
    }
    Map<String, String> devices = new LinkedHashMap<>();
    List<KernelResult> results = new ArrayList<>();
    for (String name : providers) {
      try (Provider provider = open(name)) {
        devices.put(name, provider.describe());
        for (KernelCase one : wanted.stream().filter(provider::offers).toList()) {
          results.add(provider.measure(one));
          if (output != null) { // what comes next may crash, or be stopped
            Files.writeString(output, report(wanted, devices, results));
          }
        }
      }
    }
    String text = report(wanted, devices, results);
    if (output == null) {
      System.out.print(text);
    } else {
      Files.writeString(output, text); // also where no provider had anything to measure
    }
    return results.stream().anyMatch(r -> r.problem().orElse("").startsWith("wrong")) ? 1 : 0;
  }

  private String report(
      List<KernelCase> wanted, Map<String, String> devices, List<KernelResult> results) {
    List<KernelResult> sorted =
        results.stream()
            .sorted(Comparator.comparingInt(result -> wanted.indexOf(result.of())))
            .toList();
    return new KernelReport(devices, sorted, baseline, seconds).text(format);
  }

  private List<KernelCase> wanted() {
    if (!cases.isEmpty()) {
      List<KernelCase> parsed = cases.stream().map(KernelCase::parse).toList();
      parsed.forEach(one -> Kernel.named(one.routine()));
      return parsed;
    }
    List<DType> of = dtypes.stream().map(KernelCase::dtype).toList();
    List<Kernel> kernels =
        routines.isEmpty() ? Kernel.ALL : routines.stream().map(Kernel::named).toList();
    return kernels.stream().flatMap(kernel -> kernel.cases(quick, of).stream()).toList();
  }

  private Provider open(String name) {
    Map<String, Function<String, Provider>> known = new LinkedHashMap<>();
    known.put("cpu", own -> topv(own, ContextOptions.cpu(threads)));
    known.put("cuda", own -> topv(own, ContextOptions.cuda(0)));
    known.put("flash_topv", own -> flash(own, "topv"));
    known.put("flash_torch", own -> flash(own, "torch"));
    known.put("flash_cudnn", own -> flash(own, "cudnn"));
    known.put("torch", own -> torch(own, TorchProvider.Way.EAGER));
    known.put("torch_compile", own -> torch(own, TorchProvider.Way.COMPILE));
    known.put("torch_flash", own -> torch(own, TorchProvider.Way.FLASH));
    known.put("torch_cudnn", own -> torch(own, TorchProvider.Way.CUDNN));
    if (!known.containsKey(name)) {
      throw new TopvException(
          "provider = %s is unknown; expected one of %s"
              .formatted(name, String.join(", ", known.keySet())));
    }
    return known.get(name).apply(name);
  }

  private Provider flash(String name, String attention) {
    return topv(name, ContextOptions.cuda(0).withAttention(Optional.of(attention)));
  }

  private Provider topv(String name, ContextOptions options) {
    return TopvProvider.open(name, options, seconds, quick);
  }

  private Provider torch(String name, TorchProvider.Way way) {
    Path script = Home.path("scripts/bench_torch.py");
    return TorchProvider.open(name, script, python, way, threads, seconds);
  }
}
