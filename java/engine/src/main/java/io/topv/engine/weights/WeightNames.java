package io.topv.engine.weights;

import io.topv.engine.TopvException;
import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What a checkpoint calls its tensors. transformers has saved LLaVA under several schemes, seen in
 * every combination:
 *
 * <ul>
 *   <li>decoder: language_model.model.* (up to 4.51, and again what 5.x writes),
 *       model.language_model.* (4.52 on), or model.* (text only);
 *   <li>output matrix: language_model.lm_head.weight or lm_head.weight, or none when it is tied to
 *       the embedding;
 *   <li>tower: [model.]vision_tower.vision_model.* (up to 4.x) or [model.]vision_tower.* (5.x);
 *   <li>projector: [model.]multi_modal_projector.*
 * </ul>
 */
public final class WeightNames {
  private static final List<String> DECODER =
      List.of("language_model.model.", "model.language_model.", "model.");
  private static final List<String> HEAD =
      List.of("language_model.lm_head.weight", "lm_head.weight");
  private static final List<String> VISION =
      List.of(
          "vision_tower.vision_model.",
          "model.vision_tower.vision_model.",
          "vision_tower.",
          "model.vision_tower.");
  private static final List<String> PROJECTOR =
      List.of("multi_modal_projector.", "model.multi_modal_projector.");

  private final String decoder;
  private final String vision;
  private final String projector;
  private final String embedTokens;
  private final String lmHead;

  private WeightNames(
      String decoder, String vision, String projector, String embedTokens, String lmHead) {
    this.decoder = decoder;
    this.vision = vision;
    this.projector = projector;
    this.embedTokens = embedTokens;
    this.lmHead = lmHead;
  }

  /** Finds the scheme of an open checkpoint. */
  public static WeightNames detect(WeightSource weights, ModelConfig config) {
    return detect(
        weights.name(),
        weights.names(),
        config instanceof LlavaConfig,
        config.text().tieWordEmbeddings());
  }

  /**
   * Finds the scheme.
   *
   * @param file what errors call the checkpoint
   * @param names of all its tensors
   * @param hasVision whether it is a LLaVA checkpoint
   * @param tied whether the output matrix is the embedding: then one of the two may be missing.
   *     Where both are stored, both are used, as transformers does.
   */
  public static WeightNames detect(
      String file, Set<String> names, boolean hasVision, boolean tied) {
    String decoder = prefix(file, names, "decoder", DECODER, "norm.weight");
    List<String> embedding = stored(names, List.of(decoder + "embed_tokens.weight"));
    List<String> head = stored(names, HEAD);
    if (embedding.isEmpty() && !(tied && head.size() == 1)) {
      throw missing(file, "embedding", List.of(decoder + "embed_tokens.weight"));
    }
    if (head.size() > 1 || (head.isEmpty() && !tied)) {
      throw missing(file, "output matrix (tie_word_embeddings = false)", HEAD);
    }
    return new WeightNames(
        decoder,
        hasVision ? prefix(file, names, "vision tower", VISION, "pre_layrnorm.weight") : "",
        hasVision ? prefix(file, names, "projector", PROJECTOR, "linear_1.weight") : "",
        embedding.isEmpty() ? head.get(0) : embedding.get(0),
        head.isEmpty() ? embedding.get(0) : head.get(0));
  }

  /** [vocab, hidden]. */
  public String embedTokens() {
    return embedTokens;
  }

  /** [vocab, hidden]; the embedding's name when tied. */
  public String lmHead() {
    return lmHead;
  }

  /** A tensor of the decoder, {@code decoder("norm.weight")}. */
  public String decoder(String suffix) {
    return decoder + suffix;
  }

  /** A tensor of decoder layer i (from 0), {@code layer(0, "self_attn.q_proj.weight")}. */
  public String layer(int i, String suffix) {
    return decoder + "layers." + i + "." + suffix;
  }

  /** A tensor of the tower, {@code vision("embeddings.class_embedding")}. */
  public String vision(String suffix) {
    return vision + suffix;
  }

  /** A tensor of tower layer i (from 0), {@code visionLayer(0, "layer_norm1.weight")}. */
  public String visionLayer(int i, String suffix) {
    return vision + "encoder.layers." + i + "." + suffix;
  }

  /** A tensor of the projector, {@code projector("linear_1.weight")}. */
  public String projector(String suffix) {
    return projector + suffix;
  }

  private static String prefix(
      String file, Set<String> names, String part, List<String> prefixes, String probe) {
    List<String> probes = prefixes.stream().map(prefix -> prefix + probe).toList();
    List<String> found = stored(names, probes);
    if (found.size() != 1) {
      throw missing(file, part, probes);
    }
    return found.get(0).substring(0, found.get(0).length() - probe.length());
  }

  private static List<String> stored(Set<String> names, List<String> candidates) {
    List<String> found = new ArrayList<>(candidates);
    found.retainAll(names);
    return found;
  }

  private static TopvException missing(String file, String part, List<String> candidates) {
    return new TopvException(
        file + ": " + part + ": expected exactly one of " + String.join(", ", candidates));
  }
}
