package io.topv.engine.config;

import io.topv.runtime.Activation;
import io.topv.runtime.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * LLaVA-1.5: features of a CLIP tower, a projector of two linear maps, a LLaMA decoder.
 *
 * @param imageTokenIndex id of the placeholder that stands for one visual token
 * @param visionFeatureLayers which hidden states of the tower are taken: 0 is the input of the
 *     first layer (after the pre-LayerNorm), i the output of layer i; several are concatenated
 *     along the channels, in this order
 * @param selectStrategy whether the class token is dropped
 * @param imageSeqLength visual tokens per image by the file's word; the model itself does not use
 *     it
 */
public record LlavaConfig(
    VisionConfig vision,
    TextConfig text,
    int imageTokenIndex,
    List<Integer> visionFeatureLayers,
    SelectStrategy selectStrategy,
    Activation projectorHiddenAct,
    boolean multimodalProjectorBias,
    int imageSeqLength,
    Optional<DType> dtype)
    implements ModelConfig {

  /** DEFAULT drops the class token, FULL keeps it as the first visual token. */
  public enum SelectStrategy {
    DEFAULT,
    FULL
  }

  public LlavaConfig {
    visionFeatureLayers = List.copyOf(visionFeatureLayers);
  }

  /** Visual tokens per image. */
  public int visualTokens() {
    return vision.positions() - (selectStrategy == SelectStrategy.DEFAULT ? 1 : 0);
  }

  /** Channels of one visual token before the projector. */
  public int featureSize() {
    return vision.hiddenSize() * visionFeatureLayers.size();
  }

  /** Layers of the tower that have to run: none past the last feature layer. */
  public int visionLayersNeeded() {
    return visionFeatureLayers.stream().mapToInt(Integer::intValue).max().orElseThrow();
  }

  /** Where a field is absent, the default of transformers' LlavaConfig (5.18) holds. */
  static LlavaConfig parse(JsonObject json) {
    VisionConfig vision =
        json.object("vision_config").map(VisionConfig::parse).orElseGet(VisionConfig::largeAt336);
    TextConfig text =
        TextConfig.parse(
            json.object("text_config")
                .orElseGet(() -> JsonObject.parse(json.file(), new byte[] {'{', '}'})));
    if (json.bool("tie_word_embeddings", false)) {
      text = text.tied();
    }
    String image = json.has("image_token_index") ? "image_token_index" : "image_token_id";
    int imageToken = json.integer(image, 32000, 0, TextConfig.MAX_SIZE);
    if (imageToken >= text.vocabSize()) {
      throw json.expected(image, "less than vocab_size = " + text.vocabSize());
    }
    return new LlavaConfig(
        vision,
        text,
        imageToken,
        featureLayers(json, vision.layers()),
        strategy(json),
        Activations.parse(json, "projector_hidden_act", Activation.GELU),
        json.bool("multimodal_projector_bias", true),
        json.integer("image_seq_length", 576, 1, TextConfig.MAX_SIZE),
        ModelConfig.dtype(json).or(() -> json.object("text_config").flatMap(ModelConfig::dtype)));
  }

  /** Negative ones count from the end of the layers + 1 hidden states. */
  private static List<Integer> featureLayers(JsonObject json, int layers) {
    List<Integer> given = json.integers("vision_feature_layer", -(layers + 1), layers);
    List<Integer> resolved = new ArrayList<>();
    for (int layer : given.isEmpty() ? List.of(-2) : given) {
      resolved.add(layer < 0 ? layer + layers + 1 : layer);
    }
    return resolved;
  }

  private static SelectStrategy strategy(JsonObject json) {
    String field = "vision_feature_select_strategy";
    return switch (json.text(field).orElse("default")) {
      case "default" -> SelectStrategy.DEFAULT;
      case "full" -> SelectStrategy.FULL;
      default -> throw json.expected(field, "default or full");
    };
  }
}
