package io.topv.engine.config;

import io.topv.engine.TopvException;
import io.topv.runtime.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What config.json says of a model. */
public sealed interface ModelConfig permits LlavaConfig, LlamaConfig {

  TextConfig text();

  /** The dtype that the weights were saved in, by the file's own word (torch_dtype or dtype). */
  Optional<DType> dtype();

  /** Reads MODEL_DIR/config.json. */
  static ModelConfig load(Path modelDir) {
    Path file = modelDir.resolve("config.json");
    if (!Files.isRegularFile(file)) {
      throw new TopvException(file + ": no such file; expected a model in Hugging Face format");
    }
    return parse(JsonObject.read(file));
  }

  /** {@code file} is what errors call it; {@code json} is the text of a config.json. */
  static ModelConfig parse(String file, byte[] json) {
    return parse(JsonObject.parse(file, json));
  }

  private static ModelConfig parse(JsonObject json) {
    String field = "model_type";
    if (json.has("quantization_config")) {
      throw json.refused(
          "quantization_config", "is not supported: weights must be F32, F16 or BF16");
    }
    return switch (json.text(field).orElse("")) {
      case "llava" -> LlavaConfig.parse(json);
      case "llama", "mistral" -> new LlamaConfig(TextConfig.parse(json), dtype(json));
      default -> throw json.refused(field, "is not supported; supported: llava, llama, mistral");
    };
  }

  /** dtype is the newer name of torch_dtype; both may carry the prefix "torch.". */
  static Optional<DType> dtype(JsonObject json) {
    String field = json.has("dtype") ? "dtype" : "torch_dtype";
    return json.text(field)
        .map(
            name ->
                switch (name) {
                  case "float32", "torch.float32" -> DType.F32;
                  case "float16", "torch.float16" -> DType.F16;
                  case "bfloat16", "torch.bfloat16" -> DType.BF16;
                  default ->
                      throw json.refused(
                          field, "is not supported; supported: float32, float16, bfloat16");
                });
  }
}
