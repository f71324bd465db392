package io.topv.engine.config;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A LLaMA decoder: RMSNorm, rotary embedding, grouped-query attention, SwiGLU. The query projection
 * is [heads * headDim, hiddenSize], key and value are [kvHeads * headDim, hiddenSize].
 *
 * @param modelType llama or mistral (the same graph without a sliding window)
 * @param headDim a multiple of 8, at most 256; heads * headDim may differ from hiddenSize
 * @param tieWordEmbeddings the output matrix is the embedding
 * @param attentionBias q, k, v and o projections have biases
 * @param mlpBias gate, up and down projections have biases
 * @param eosTokenIds empty when the configuration says null
 */
public record TextConfig(
    String modelType,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int vocabSize,
    double rmsNormEps,
    double ropeTheta,
    RopeScaling ropeScaling,
    int maxPositionEmbeddings,
    boolean tieWordEmbeddings,
    boolean attentionBias,
    boolean mlpBias,
    OptionalInt bosTokenId,
    List<Integer> eosTokenIds) {

  static final int MAX_SIZE = 1 << 24;
  static final int MAX_LAYERS = 1024;
  static final int MAX_HEADS = 1024;

  public TextConfig {
    eosTokenIds = List.copyOf(eosTokenIds);
  }

  /**
   * Where a field is absent, the default of LlamaConfig or MistralConfig (transformers 5.18) holds.
   */
  static TextConfig parse(JsonObject json) {
    String type = json.text("model_type").orElse("llama");
    boolean mistral = type.equals("mistral");
    if (!mistral && !type.equals("llama")) {
      throw json.refused("model_type", "is not supported; supported: llama, mistral");
    }
    refuseUnsupported(json, mistral);
    int hidden = json.integer("hidden_size", 4096, 1, MAX_SIZE);
    int heads = json.integer("num_attention_heads", 32, 1, MAX_HEADS);
    if (!json.has("head_dim") && hidden % heads != 0) {
      throw json.expected("hidden_size", "a multiple of num_attention_heads = " + heads);
    }
    int headDim = json.integer("head_dim", hidden / heads, 1, MAX_SIZE);
    if (headDim == 0 || headDim % 8 != 0 || headDim > 256) {
      throw json.refused(
          "head_dim", "(" + headDim + "): supported are multiples of 8 from 8 to 256");
    }
    String kv = "num_key_value_heads";
    int kvHeads = json.integer(kv, mistral && !json.mentions(kv) ? 8 : heads, 1, MAX_HEADS);
    if (heads % kvHeads != 0) {
      throw json.expected(kv, "a divisor of num_attention_heads = " + heads);
    }
    int maxPositions =
        json.integer("max_position_embeddings", mistral ? 131072 : 2048, 1, MAX_SIZE);
    Optional<JsonObject> rope = rope(json);
    JsonObject theta = rope.filter(r -> r.has("rope_theta")).orElse(json);
    int vocab = json.integer("vocab_size", 32000, 1, MAX_SIZE);
    return new TextConfig(
        type,
        hidden,
        json.integer("intermediate_size", mistral ? 14336 : 11008, 1, MAX_SIZE),
        json.integer("num_hidden_layers", 32, 1, MAX_LAYERS),
        heads,
        kvHeads,
        headDim,
        vocab,
        json.number("rms_norm_eps", 1e-6, 0, 1),
        theta.number("rope_theta", 10000, 1e-3, 1e12),
        RopeScaling.parse(json, rope, maxPositions),
        maxPositions,
        json.bool("tie_word_embeddings", false),
        !mistral && json.bool("attention_bias", false),
        !mistral && json.bool("mlp_bias", false),
        tokenIds(json, "bos_token_id", 1).stream().mapToInt(Integer::intValue).findFirst(),
        tokenIds(json, "eos_token_id", 2));
  }

  TextConfig tied() {
    return new TextConfig(
        modelType,
        hiddenSize,
        intermediateSize,
        layers,
        heads,
        kvHeads,
        headDim,
        vocabSize,
        rmsNormEps,
        ropeTheta,
        ropeScaling,
        maxPositionEmbeddings,
        true,
        attentionBias,
        mlpBias,
        bosTokenId,
        eosTokenIds);
  }

  /** The newer rope_parameters and the older rope_scaling say the same; the older one wins. */
  private static Optional<JsonObject> rope(JsonObject json) {
    return json.object("rope_scaling")
        .filter(scaling -> !scaling.names().isEmpty())
        .or(() -> json.object("rope_parameters"));
  }

  /** Absent means the default, null means none. */
  private static List<Integer> tokenIds(JsonObject json, String field, int fallback) {
    return json.mentions(field) ? json.integers(field, 0, MAX_SIZE) : List.of(fallback);
  }

  /** What the engine does not compute must not be ignored. */
  private static void refuseUnsupported(JsonObject json, boolean mistral) {
    String window = "sliding_window";
    if (json.has(window)) {
      throw json.refused(window, "is not supported; supported: null");
    }
    if (mistral && !json.mentions(window)) {
      throw json.refused(window, "(absent) means 4096 for mistral, which is not supported");
    }
    if (!json.text("hidden_act").orElse("silu").matches("silu|swish")) {
      throw json.refused("hidden_act", "is not supported; supported: silu");
    }
    Optional<JsonObject> rope = rope(json);
    for (JsonObject place : rope.isPresent() ? List.of(json, rope.get()) : List.of(json)) {
      if (place.number("partial_rotary_factor", 1, 0, 1) != 1) {
        throw place.refused("partial_rotary_factor", "is not supported; supported: 1");
      }
    }
    if (json.has("quantization_config")) {
      throw json.refused(
          "quantization_config", "is not supported: weights must be F32, F16 or BF16");
    }
    for (String layerType : json.texts("layer_types")) {
      if (!layerType.equals("full_attention")) {
        throw json.refused("layer_types", "is not supported; supported: full_attention");
      }
    }
  }
}
