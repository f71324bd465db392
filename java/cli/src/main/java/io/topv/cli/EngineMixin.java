package io.topv.cli;

import io.topv.engine.Engine;
import io.topv.engine.EngineOptions;
import io.topv.engine.TopvException;
import io.topv.runtime.DType;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that say which model runs where. */
final class EngineMixin {
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
      names = "--max-model-len",
      paramLabel = "TOKENS",
      description = "Longest prompt and answer together. Default: the model's own, at most 4096.")
  private Integer maxModelLen;

  @Mixin private DeviceMixin device;

  Path modelDir() {
    return model != null ? model : Home.path("models/topv-demo");
  }

  Engine load(int pruneLayer, int maxSequences) {
    return Engine.load(modelDir(), options(pruneLayer, maxSequences));
  }

  EngineOptions options(int pruneLayer, int maxSequences) {
    return EngineOptions.defaults()
        .withDevice(device.options())
        .withDtype(dtype())
        .withMaxModelLen(maxModelLen == null ? OptionalInt.empty() : OptionalInt.of(maxModelLen))
        .withPruneLayer(pruneLayer)
        .withMaxSequences(maxSequences);
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
