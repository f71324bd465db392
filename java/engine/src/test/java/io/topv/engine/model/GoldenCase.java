package io.topv.engine.model;

import io.topv.engine.image.ImageProcessor;
import io.topv.engine.image.ImageProcessorConfig;
import io.topv.engine.image.Images;
import io.topv.engine.prune.VisualSpan;
import io.topv.engine.weights.SafetensorsFile;
import io.topv.engine.weights.WeightTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A prompt for a golden model; golden/README.md tells what the files hold.
 *
 * @param model directory of the checkpoint
 * @param images files of its pictures
 * @param spans where their visual tokens are
 * @param meta all that the case's JSON says
 */
public record GoldenCase(
    String name,
    Path model,
    int[] prompt,
    List<Path> images,
    List<VisualSpan> spans,
    JsonNode meta) {
  public static final Path GOLDEN = Path.of("src/test/resources/golden");
  private static final JsonMapper JSON = new JsonMapper();

  /** Directories of all golden models. */
  public static List<Path> models() {
    return directories(GOLDEN);
  }

  /** The cases of a golden model. */
  public static List<GoldenCase> of(Path model) {
    return directories(model.resolve("cases")).stream()
        .map(dir -> parse(model, dir, json(dir.resolve("meta.json")), "case", "images"))
        .toList();
  }

  public static GoldenCase of(String model, String name) {
    return of(GOLDEN.resolve(model)).stream()
        .filter(c -> c.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** The cases of pruning. */
  public static List<GoldenCase> topv() {
    Path model = GOLDEN.resolve("llava-gqa");
    Path dir = model.resolve("topv");
    return StreamSupport.stream(json(dir.resolve("topv.json")).get("cases").spliterator(), false)
        .map(c -> parse(model, dir, c, "name", "image_files"))
        .toList();
  }

  private static GoldenCase parse(Path model, Path dir, JsonNode meta, String name, String images) {
    List<Path> files = new ArrayList<>();
    meta.get(images).forEach(file -> files.add(dir.resolve(file.asString())));
    List<VisualSpan> spans = new ArrayList<>();
    if (meta.has("spans")) {
      int width = meta.get("grid").get(0).asInt();
      int height = meta.get("grid").get(1).asInt();
      for (JsonNode span : meta.get("spans")) {
        int tokens = span.get(1).asInt();
        boolean grid = tokens == width * height;
        spans.add(new VisualSpan(span.get(0).asInt(), grid ? width : tokens, grid ? height : 1));
      }
    }
    return new GoldenCase(
        meta.get(name).asString(), model, ints(meta.get("prompt_ids")), files, spans, meta);
  }

  /** What the image processor makes of the pictures. */
  List<float[]> pixels() {
    if (images.isEmpty()) {
      return List.of();
    }
    ImageProcessor processor = new ImageProcessor(ImageProcessorConfig.parse(model));
    return images.stream().map(f -> processor.process(Images.decode(f)).values()).toList();
  }

  /** Golden tensors of {@code dtype}, float32 or bfloat16. */
  Map<String, float[]> tensors(String dtype) {
    return tensors(model.resolve("cases").resolve(name).resolve(dtype + ".safetensors"));
  }

  static Map<String, float[]> tensors(Path file) {
    try (SafetensorsFile opened = SafetensorsFile.open(file)) {
      Map<String, float[]> tensors = new LinkedHashMap<>();
      for (WeightTensor tensor : opened.tensors()) {
        tensors.put(tensor.name(), tensor.toFloats());
      }
      return tensors;
    }
  }

  public static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  private static List<Path> directories(Path parent) {
    try (Stream<Path> entries = Files.list(parent)) {
      return entries.filter(Files::isDirectory).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonNode json(Path file) {
    try {
      return JSON.readTree(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
