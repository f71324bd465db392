package io.topv.engine.config;

import io.topv.runtime.Activation;

/**
 * A CLIP vision tower: a class embedding and one embedding per patch, learned positions, a
 * LayerNorm before the layers, pre-norm layers with biases everywhere.
 *
 * @param imageSize side of the square input in pixels, a multiple of patchSize
 */
public record VisionConfig(
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int imageSize,
    int patchSize,
    Activation hiddenAct,
    double layerNormEps,
    int channels) {

  private static final int MAX_IMAGE_SIZE = 1 << 14;

  /** Patches along one side. */
  public int grid() {
    return imageSize / patchSize;
  }

  /** Rows of the position embedding: the class token and all patches. */
  public int positions() {
    return grid() * grid() + 1;
  }

  public int headDim() {
    return hiddenSize / heads;
  }

  /** Where a field is absent, the default of CLIPVisionConfig (transformers 5.18) holds. */
  static VisionConfig parse(JsonObject json) {
    if (!json.text("model_type").orElse("clip_vision_model").equals("clip_vision_model")) {
      throw json.refused("model_type", "is not supported; supported: clip_vision_model");
    }
    if (json.has("quantization_config")) {
      throw json.refused(
          "quantization_config", "is not supported: weights must be F32, F16 or BF16");
    }
    int hidden = json.integer("hidden_size", 768, 1, TextConfig.MAX_SIZE);
    int heads = json.integer("num_attention_heads", 12, 1, TextConfig.MAX_HEADS);
    int headDim = hidden / heads;
    if (hidden % heads != 0 || headDim % 8 != 0 || headDim > 256) {
      throw json.refused(
          "hidden_size",
          "with num_attention_heads = "
              + heads
              + ": supported head sizes are multiples of 8 from 8 to 256");
    }
    int image = json.integer("image_size", 224, 1, MAX_IMAGE_SIZE);
    int patch = json.integer("patch_size", 32, 1, MAX_IMAGE_SIZE);
    if (image % patch != 0) {
      throw json.expected("image_size", "a multiple of patch_size = " + patch);
    }
    int channels = json.integer("num_channels", 3, 1, 1024);
    if (channels != 3) {
      throw json.refused("num_channels", "is not supported; supported: 3");
    }
    return new VisionConfig(
        hidden,
        json.integer("intermediate_size", 3072, 1, TextConfig.MAX_SIZE),
        json.integer("num_hidden_layers", 12, 1, TextConfig.MAX_LAYERS),
        heads,
        image,
        patch,
        Activations.parse(json, "hidden_act", Activation.QUICK_GELU),
        json.number("layer_norm_eps", 1e-5, 0, 1),
        channels);
  }

  /** What LlavaConfig takes where config.json has no vision_config: CLIP ViT-L/14 at 336 pixels. */
  static VisionConfig largeAt336() {
    return new VisionConfig(1024, 4096, 24, 16, 336, 14, Activation.QUICK_GELU, 1e-5, 3);
  }
}
