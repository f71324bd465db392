package io.topv.cli;

import io.topv.engine.Engine;
import io.topv.engine.EngineOptions;
import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.NativeException;
import io.topv.runtime.cuda.CudaDevice;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code topv doctor}: what this machine has and what is missing. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = "Shows CPU features, libraries, GPUs, and what is missing.")
final class DoctorCommand implements Callable<Integer> {
  private static final Map<String, String> BUILD_TOOLS =
      Map.of(
          "javac",
          "openjdk-17-jdk-headless",
          "cmake",
          "cmake",
          "ninja",
          "ninja-build",
          "g++",
          "g++");

  @Mixin private Verbose verbose;

  private final List<String> missing = new ArrayList<>();

  @Override
  public Integer call() {
    line("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    line("topv", Context.version());
    cpu();
    gpu();
    model();
    BUILD_TOOLS.keySet().stream().sorted().forEach(this::tool);
    missing.forEach(text -> line("missing", text));
    if (missing.isEmpty()) {
      line("missing", "nothing");
    }
    return 0;
  }

  private void cpu() {
    try (Context context = Context.open(ContextOptions.cpu(0))) {
      JsonNode about = new JsonMapper().readTree(context.describe());
      line("cpu", about.path("device").asString());
      line(
          "cores",
          about.path("cores").asInt()
              + " usable, "
              + about.path("threads").asInt()
              + " threads by default");
      line(
          "isa",
          about.path("isa").asString() + " (oneDNN: " + about.path("onednn_isa").asString() + ")");
      List<String> flags = List.of(about.path("flags").asString().split(" "));
      line(
          "flags",
          String.join(" ", flags.stream().filter(f -> f.matches("avx.*|amx.*|fma|f16c")).toList()));
      about
          .path("libraries")
          .properties()
          .forEach(e -> line("library", e.getKey() + " " + e.getValue().asString()));
    } catch (NativeException e) {
      line("cpu", "not usable: " + e.getMessage());
      missing.add("the CPU backend: " + e.getMessage());
    }
    memory().ifPresent(text -> line("memory", text));
  }

  private static Optional<String> memory() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      return lines
          .filter(text -> text.startsWith("MemAvailable"))
          .findFirst()
          .map(text -> Long.parseLong(text.replaceAll("\\D", "")) / 1024 + " MiB available");
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private void gpu() {
    try {
      List<CudaDevice> devices = CudaDevice.list();
      line("gpu driver", "for CUDA " + CudaDevice.driverVersion());
      if (devices.isEmpty()) {
        line("gpu", "none that this process may use");
      }
      for (CudaDevice device : devices) {
        line("gpu", describe(device));
        backend(device.ordinal());
      }
    } catch (NativeException e) {
      unlisted(e);
    }
  }

  /** The backend needs the driver alone: it may work where the list of GPUs cannot be had. */
  private static void unlisted(NativeException why) {
    try (Context context = Context.open(ContextOptions.cuda(0))) {
      line("gpu", context.describe() + "; others not listed: " + why.getMessage());
    } catch (NativeException e) {
      line("gpu", "none: " + why.getMessage());
    }
  }

  private static String describe(CudaDevice device) {
    return "cuda:%d %s, compute capability %s, %d multiprocessors, %d of %d MiB free"
        .formatted(
            device.ordinal(),
            device.name(),
            device.capability(),
            device.multiprocessors(),
            device.freeBytes() >> 20,
            device.totalBytes() >> 20);
  }

  private void backend(int ordinal) {
    try (Context context = Context.open(ContextOptions.cuda(ordinal))) {
      line("cuda:" + ordinal, context.describe());
    } catch (NativeException e) {
      line("cuda:" + ordinal, "not usable: " + e.getMessage());
      missing.add("the CUDA backend: " + e.getMessage());
    }
  }

  private void model() {
    Path dir = Home.path("models/topv-demo");
    try (Engine engine = Engine.load(dir, EngineOptions.defaults())) {
      line("model", dir + " loads (" + engine.dtype() + ")");
    } catch (RuntimeException e) {
      line("model", dir + ": " + e.getMessage());
      missing.add("the model that ships");
    }
  }

  private void tool(String name) {
    Optional<Path> found =
        Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
            .filter(dir -> !dir.isEmpty())
            .map(dir -> Path.of(dir, name))
            .filter(Files::isExecutable)
            .findFirst();
    line("build tool", name + ": " + found.map(Path::toString).orElse("not found"));
    if (found.isEmpty()) {
      missing.add(
          name
              + ", to build from source (Debian, Ubuntu: apt-get install -y "
              + BUILD_TOOLS.get(name)
              + ")");
    }
  }

  private static void line(String what, String text) {
    System.out.printf("%-11s %s%n", what, text);
  }
}
