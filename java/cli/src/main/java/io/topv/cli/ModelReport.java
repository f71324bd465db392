package io.topv.cli;

import io.topv.engine.config.LlavaConfig;
import io.topv.engine.config.ModelConfig;
import io.topv.engine.config.TextConfig;
import io.topv.engine.config.VisionConfig;
import io.topv.engine.weights.Checkpoint;
import java.nio.file.Path;
import java.util.Locale;

/** Architecture, sizes and memory of a model. */
final class ModelReport {
  private ModelReport() {}

  static String of(Path dir) {
    ModelConfig config = ModelConfig.load(dir);
    StringBuilder out = new StringBuilder();
    boolean llava = config instanceof LlavaConfig;
    line(
        out,
        "model",
        dir
            + ": "
            + (llava ? "LLaVA-1.5 (CLIP tower, projector, LLaMA decoder)" : "LLaMA, text only"));
    if (config instanceof LlavaConfig c) {
      vision(out, c);
    }
    TextConfig t = config.text();
    line(
        out,
        "decoder",
        "%d layers, C %d, F %d, Hq %d, Hkv %d, D %d, V %d%s"
            .formatted(
                t.layers(),
                t.hiddenSize(),
                t.intermediateSize(),
                t.heads(),
                t.kvHeads(),
                t.headDim(),
                t.vocabSize(),
                t.tieWordEmbeddings() ? ", tied embeddings" : ""));
    line(
        out,
        "positions",
        "%d, rope theta %s, scaling %s"
            .formatted(t.maxPositionEmbeddings(), number(t.ropeTheta()), t.ropeScaling()));
    try (Checkpoint checkpoint = Checkpoint.open(dir)) {
      long parameters =
          checkpoint.names().stream()
              .mapToLong(name -> checkpoint.find(name).orElseThrow().info().elements())
              .sum();
      line(
          out,
          "weights",
          "%d tensors, %s parameters, %s in %s"
              .formatted(
                  checkpoint.names().size(),
                  millions(parameters),
                  mebibytes(checkpoint.bytes()),
                  config.dtype().map(Enum::name).orElse("unstated dtype")));
    }
    long perToken = 2L * 2 * t.layers() * t.kvHeads() * t.headDim();
    line(
        out,
        "KV cache",
        "%d bytes per token in bfloat16, %s at %d tokens"
            .formatted(
                perToken,
                mebibytes(perToken * t.maxPositionEmbeddings()),
                t.maxPositionEmbeddings()));
    return out.toString();
  }

  private static void vision(StringBuilder out, LlavaConfig c) {
    VisionConfig v = c.vision();
    line(
        out,
        "vision",
        "%d of %d layers used, C %d, F %d, heads %d, %d x %d pixels, patch %d"
            .formatted(
                c.visionLayersNeeded(),
                v.layers(),
                v.hiddenSize(),
                v.intermediateSize(),
                v.heads(),
                v.imageSize(),
                v.imageSize(),
                v.patchSize()));
    line(
        out,
        "per image",
        "%d visual tokens (%d x %d), feature layers %s, strategy %s"
            .formatted(
                c.visualTokens(),
                v.grid(),
                v.grid(),
                c.visionFeatureLayers(),
                c.selectStrategy().name().toLowerCase(Locale.ROOT)));
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private static String millions(long count) {
    return String.format(Locale.ROOT, "%.1f M", count / 1e6);
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
  }

  private static void line(StringBuilder out, String what, String text) {
    out.append(String.format("%-12s %s%n", what, text));
  }
}
