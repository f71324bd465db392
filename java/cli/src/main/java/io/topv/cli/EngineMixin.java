package io.topv.cli;

import io.topv.engine.Engine;
import io.topv.engine.EngineOptions;
import io.topv.engine.TopvException;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Options that say which model runs where. */
final class EngineMixin {
  private static final Pattern DEVICE = Pattern.compile("cpu|cuda(?::(\\d{1,3}))?");

  @Option(
      names = {"-m", "--model"},
      paramLabel = "DIR",
      description =
          "Model in Hugging Face format. Default: the model that ships, models/topv-demo.")
  private Path model;

  @Option(
      names = "--dtype",
      paramLabel = "float32|bfloat16|auto",
      defaultValue = "auto",
      description =
          "Arithmetic. auto: bfloat16 where weights and CPU have it. Default: ${DEFAULT-VALUE}.")
  private String dtype;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "CPU threads; 0 = one per core this process may use. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(
      names = "--max-model-len",
      paramLabel = "TOKENS",
      description = "Longest prompt and answer together. Default: the model's own, at most 4096.")
  private Integer maxModelLen;

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda[:N]",
      defaultValue = "cpu",
      description = "Where it runs; N is the GPU's number. Default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(
      names = "--isa",
      paramLabel = "LEVEL",
      description = "At most avx2, avx512, avx512_bf16 or amx. Default: the best of this CPU.")
  private String isa;

  Path modelDir() {
    return model != null ? model : Home.path("models/topv-demo");
  }

  Engine load(int pruneLayer, int maxSequences) {
    return Engine.load(modelDir(), options(pruneLayer, maxSequences));
  }

  EngineOptions options(int pruneLayer, int maxSequences) {
    if (threads < 0) {
      throw new TopvException("threads = " + threads + " is below 0");
    }
    return EngineOptions.defaults()
        .withDevice(device())
        .withDtype(dtype())
        .withMaxModelLen(maxModelLen == null ? OptionalInt.empty() : OptionalInt.of(maxModelLen))
        .withPruneLayer(pruneLayer)
        .withMaxSequences(maxSequences);
  }

  private ContextOptions device() {
    Matcher matcher = DEVICE.matcher(device);
    if (!matcher.matches()) {
      throw new TopvException(
          "device = \"" + device + "\" is unknown; expected cpu, cuda or cuda:N");
    }
    if (device.equals("cpu")) {
      return new ContextOptions("cpu", 0, threads, Optional.ofNullable(isa));
    }
    if (threads != 0 || isa != null) {
      throw new TopvException("threads and isa are of the CPU; device = " + device);
    }
    String ordinal = matcher.group(1);
    return ContextOptions.cuda(ordinal == null ? 0 : Integer.parseInt(ordinal));
  }

  private Optional<DType> dtype() {
    return switch (dtype) {
      case "auto" -> Optional.empty();
      case "float32", "f32" -> Optional.of(DType.F32);
      case "bfloat16", "bf16" -> Optional.of(DType.BF16);
      default ->
          throw new TopvException(
              "dtype = \"" + dtype + "\" is unknown; expected float32, bfloat16 or auto");
    };
  }
}
