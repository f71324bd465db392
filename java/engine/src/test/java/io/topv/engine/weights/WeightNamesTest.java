package io.topv.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WeightNamesTest {
  private static Set<String> llava(String decoder, String head, String vision, String projector) {
    Set<String> names =
        new HashSet<>(
            List.of(
                decoder + "norm.weight",
                decoder + "embed_tokens.weight",
                vision + "pre_layrnorm.weight",
                projector + "linear_1.weight"));
    if (!head.equals("-")) {
      names.add(head);
    }
    return names;
  }

  /** Old; 4.52 on; what 5.18 saves by default; what 5.18 saves with save_original_format=False. */
  @ParameterizedTest
  @CsvSource({
    "language_model.model.,language_model.lm_head.weight,vision_tower.vision_model.,multi_modal_projector.",
    "model.language_model.,lm_head.weight,model.vision_tower.vision_model.,model.multi_modal_projector.",
    "language_model.model.,language_model.lm_head.weight,vision_tower.,multi_modal_projector.",
    "model.language_model.,lm_head.weight,model.vision_tower.,model.multi_modal_projector.",
    "model.language_model.,-,model.vision_tower.,model.multi_modal_projector.",
  })
  void findsEachScheme(String decoder, String head, String vision, String projector) {
    boolean tied = head.equals("-");
    WeightNames names =
        WeightNames.detect("m", llava(decoder, head, vision, projector), true, tied);
    assertThat(names.decoder("norm.weight")).isEqualTo(decoder + "norm.weight");
    assertThat(names.layer(3, "x")).isEqualTo(decoder + "layers.3.x");
    assertThat(names.vision("x")).isEqualTo(vision + "x");
    assertThat(names.visionLayer(0, "x")).isEqualTo(vision + "encoder.layers.0.x");
    assertThat(names.projector("x")).isEqualTo(projector + "x");
    assertThat(names.embedTokens()).isEqualTo(decoder + "embed_tokens.weight");
    assertThat(names.lmHead()).isEqualTo(tied ? names.embedTokens() : head);
  }

  @Test
  void textOnlyTiedAndUntied() {
    Set<String> untied = Set.of("model.norm.weight", "model.embed_tokens.weight", "lm_head.weight");
    assertThat(WeightNames.detect("m", untied, false, true).lmHead()).isEqualTo("lm_head.weight");
    Set<String> onlyHead = Set.of("model.norm.weight", "lm_head.weight");
    assertThat(WeightNames.detect("m", onlyHead, false, true).embedTokens())
        .isEqualTo("lm_head.weight");
  }

  @Test
  void refusesWhatIsMissingOrAmbiguous() {
    assertThatThrownBy(() -> WeightNames.detect("m", Set.of("x"), false, false))
        .isInstanceOf(TopvException.class)
        .hasMessage(
            "m: decoder: expected exactly one of language_model.model.norm.weight,"
                + " model.language_model.norm.weight, model.norm.weight");
    Set<String> noHead = Set.of("model.norm.weight", "model.embed_tokens.weight");
    assertThatThrownBy(() -> WeightNames.detect("m", noHead, false, false))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("output matrix (tie_word_embeddings = false)");
    assertThatThrownBy(() -> WeightNames.detect("m", noHead, true, true))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("vision tower");
    Set<String> two =
        Set.of("model.norm.weight", "language_model.model.norm.weight", "lm_head.weight");
    assertThatThrownBy(() -> WeightNames.detect("m", two, false, true))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("decoder: expected exactly one of");
  }
}
