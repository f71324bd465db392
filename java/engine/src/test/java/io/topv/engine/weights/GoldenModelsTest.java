package io.topv.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import io.topv.engine.config.RopeScaling;
import io.topv.engine.config.TextConfig;
import io.topv.engine.config.VisionConfig;
import io.topv.runtime.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Checkpoints that transformers wrote, in every scheme of names: configuration and tensors must fit
 * each other.
 */
final class GoldenModelsTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  static Stream<Path> models() throws IOException {
    try (Stream<Path> directories = Files.list(GOLDEN)) {
      return directories
          .filter(d -> Files.exists(d.resolve("config.json")))
          .sorted()
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void holdsExactlyTheTensorsThatTheConfigurationExpects(Path model) {
    ModelConfig config = ModelConfig.load(model);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      WeightNames names = WeightNames.detect(checkpoint, config);
      Set<String> unread = new HashSet<>(checkpoint.names());
      Reader reader =
          (name, shape) -> {
            WeightTensor tensor = checkpoint.require(name, shape);
            assertThat(tensor.dtype()).isEqualTo(config.dtype().orElseThrow());
            assertThat(tensor.toFloats()).isNotEmpty().doesNotContain(Float.NaN);
            unread.remove(name);
          };
      readDecoder(reader, names, config.text());
      if (config instanceof LlavaConfig llava) {
        readVision(reader, names, llava.vision());
        readProjector(reader, names, llava);
      }
      // LLaVA never uses the tower's last norm; position_ids was a buffer
      unread.removeIf(name -> name.contains("post_layernorm") || name.endsWith("position_ids"));
      assertThat(unread).isEmpty();
    }
  }

  private interface Reader {
    void read(String name, long... shape);

    default void linear(String name, boolean bias, long out, long in) {
      read(name + ".weight", out, in);
      if (bias) {
        read(name + ".bias", out);
      }
    }

    default void layerNorm(String name, long size) {
      read(name + ".weight", size);
      read(name + ".bias", size);
    }
  }

  private static void readDecoder(Reader reader, WeightNames names, TextConfig c) {
    reader.read(names.embedTokens(), c.vocabSize(), c.hiddenSize());
    reader.read(names.lmHead(), c.vocabSize(), c.hiddenSize());
    reader.read(names.decoder("norm.weight"), c.hiddenSize());
    long q = (long) c.heads() * c.headDim();
    long kv = (long) c.kvHeads() * c.headDim();
    for (int i = 0; i < c.layers(); i++) {
      reader.read(names.layer(i, "input_layernorm.weight"), c.hiddenSize());
      reader.read(names.layer(i, "post_attention_layernorm.weight"), c.hiddenSize());
      reader.linear(names.layer(i, "self_attn.q_proj"), c.attentionBias(), q, c.hiddenSize());
      reader.linear(names.layer(i, "self_attn.k_proj"), c.attentionBias(), kv, c.hiddenSize());
      reader.linear(names.layer(i, "self_attn.v_proj"), c.attentionBias(), kv, c.hiddenSize());
      reader.linear(names.layer(i, "self_attn.o_proj"), c.attentionBias(), c.hiddenSize(), q);
      long inner = c.intermediateSize();
      reader.linear(names.layer(i, "mlp.gate_proj"), c.mlpBias(), inner, c.hiddenSize());
      reader.linear(names.layer(i, "mlp.up_proj"), c.mlpBias(), inner, c.hiddenSize());
      reader.linear(names.layer(i, "mlp.down_proj"), c.mlpBias(), c.hiddenSize(), inner);
    }
  }

  private static void readVision(Reader reader, WeightNames names, VisionConfig c) {
    long hidden = c.hiddenSize();
    reader.read(names.vision("embeddings.class_embedding"), hidden);
    reader.read(
        names.vision("embeddings.patch_embedding.weight"),
        hidden,
        c.channels(),
        c.patchSize(),
        c.patchSize());
    reader.read(names.vision("embeddings.position_embedding.weight"), c.positions(), hidden);
    reader.layerNorm(names.vision("pre_layrnorm"), hidden);
    for (int i = 0; i < c.layers(); i++) {
      reader.layerNorm(names.visionLayer(i, "layer_norm1"), hidden);
      reader.layerNorm(names.visionLayer(i, "layer_norm2"), hidden);
      for (String part : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
        reader.linear(names.visionLayer(i, "self_attn." + part), true, hidden, hidden);
      }
      reader.linear(names.visionLayer(i, "mlp.fc1"), true, c.intermediateSize(), hidden);
      reader.linear(names.visionLayer(i, "mlp.fc2"), true, hidden, c.intermediateSize());
    }
  }

  private static void readProjector(Reader reader, WeightNames names, LlavaConfig c) {
    long hidden = c.text().hiddenSize();
    boolean bias = c.multimodalProjectorBias();
    reader.linear(names.projector("linear_1"), bias, hidden, c.featureSize());
    reader.linear(names.projector("linear_2"), bias, hidden, hidden);
  }

  @Test
  void readsWhatEachModelIsThereFor() {
    LlavaConfig odd = (LlavaConfig) ModelConfig.load(GOLDEN.resolve("llava-odd"));
    assertThat(odd.visionFeatureLayers()).containsExactly(4, 1, 2);
    assertThat(odd.selectStrategy()).isEqualTo(LlavaConfig.SelectStrategy.FULL);
    assertThat(odd.visualTokens()).isEqualTo(26);
    TextConfig old = ModelConfig.load(GOLDEN.resolve("llava-old-names")).text();
    assertThat(old.headDim()).isEqualTo(16);
    assertThat(old.rmsNormEps()).isEqualTo(1e-6);
    assertThat(ModelConfig.load(GOLDEN.resolve("llava-mha")).text().tieWordEmbeddings()).isTrue();
    assertThat(ModelConfig.load(GOLDEN.resolve("llava-last")).dtype()).contains(DType.F16);
    assertThat(ModelConfig.load(GOLDEN.resolve("llama-linear-rope")).text().ropeScaling())
        .isEqualTo(new RopeScaling.Linear(2.5));
    assertThat(ModelConfig.load(GOLDEN.resolve("llama3-rope")).text().ropeScaling())
        .isEqualTo(new RopeScaling.Llama3(8, 1, 4, 64));
    assertThat(ModelConfig.load(GOLDEN.resolve("llama-attention-bias")).text().mlpBias()).isTrue();
  }
}
