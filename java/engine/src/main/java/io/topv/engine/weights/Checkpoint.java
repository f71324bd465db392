package io.topv.engine.weights;

import io.topv.engine.TopvException;
import io.topv.engine.config.JsonObject;
import io.topv.engine.config.Text;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The weights of a model: model.safetensors, or the shards that model.safetensors.index.json names.
 */
public final class Checkpoint implements WeightSource {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  private final String name;
  private final List<SafetensorsFile> files;
  private final Map<String, WeightTensor> tensors = new LinkedHashMap<>();

  private Checkpoint(String name, List<SafetensorsFile> files) {
    this.name = name;
    this.files = files;
    for (SafetensorsFile file : files) {
      for (WeightTensor tensor : file.tensors()) {
        WeightTensor other = tensors.put(tensor.name(), tensor);
        if (other != null) {
          throw new TopvException(
              name
                  + ": tensor "
                  + Text.oneLine(tensor.name())
                  + " is in two shards, "
                  + other.file()
                  + " and "
                  + tensor.file());
        }
      }
    }
  }

  /**
   * Opens MODEL_DIR/model.safetensors, else the shards of MODEL_DIR/model.safetensors.index.json.
   */
  public static Checkpoint open(Path modelDir) {
    Path single = modelDir.resolve(SINGLE);
    if (Files.exists(single)) {
      return open(single.toString(), List.of(single), Map.of());
    }
    Path index = modelDir.resolve(INDEX);
    if (!Files.exists(index)) {
      throw new TopvException(
          modelDir + ": has neither " + SINGLE + " nor " + INDEX + otherFormats(modelDir));
    }
    Map<String, String> weightMap = weightMap(JsonObject.read(index));
    List<Path> shards = new ArrayList<>();
    for (String shard : new TreeSet<>(weightMap.values())) {
      shards.add(modelDir.resolve(shard));
    }
    return open(index.toString(), shards, weightMap);
  }

  private static Checkpoint open(String name, List<Path> paths, Map<String, String> weightMap) {
    List<SafetensorsFile> files = new ArrayList<>();
    try {
      for (Path path : paths) {
        files.add(SafetensorsFile.open(path));
      }
      Checkpoint checkpoint = new Checkpoint(name, files);
      checkpoint.requireListed(weightMap);
      return checkpoint;
    } catch (RuntimeException | Error e) {
      files.forEach(SafetensorsFile::close);
      throw e;
    }
  }

  /**
   * Tensor name to shard name. A shard is a plain file name: an index must not lead out of its
   * directory.
   */
  static Map<String, String> weightMap(JsonObject index) {
    JsonObject weightMap =
        index
            .object("weight_map")
            .orElseThrow(() -> index.expected("weight_map", "an object of tensor: shard"));
    Map<String, String> map = weightMap.strings();
    map.forEach(
        (tensor, shard) -> {
          if (!shard.matches("[A-Za-z0-9._-]+\\.safetensors") || shard.startsWith(".")) {
            throw weightMap.expected(tensor, "a file name *.safetensors beside the index");
          }
        });
    if (map.isEmpty()) {
      throw index.expected("weight_map", "at least one tensor");
    }
    return map;
  }

  private void requireListed(Map<String, String> weightMap) {
    weightMap.forEach(
        (tensor, shard) -> {
          WeightTensor found = tensors.get(tensor);
          if (found == null || !Path.of(found.file()).getFileName().toString().equals(shard)) {
            throw new TopvException(
                name
                    + ": weight_map."
                    + Text.oneLine(tensor)
                    + " = "
                    + shard
                    + ", but that file "
                    + (found == null ? "has no such tensor" : "does not hold it"));
          }
        });
  }

  private static String otherFormats(Path modelDir) {
    if (Files.isRegularFile(modelDir.resolve("pytorch_model.bin"))
        || Files.isRegularFile(modelDir.resolve("pytorch_model.bin.index.json"))) {
      return "; pytorch_model.bin is not supported: save the model with safe_serialization";
    }
    return "; expected a model in Hugging Face format";
  }

  /** The file that says which tensors there are: the single one or the index. */
  @Override
  public String name() {
    return name;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return tensors.values().stream().mapToLong(tensor -> tensor.info().bytes()).sum();
  }

  public Optional<WeightTensor> find(String tensor) {
    return Optional.ofNullable(tensors.get(tensor));
  }

  @Override
  public WeightTensor require(String tensor, long... shape) {
    return require(tensor, "", shape);
  }

  /**
   * As {@link #require(String, long...)}.
   *
   * @param fields the fields of config.json that the shape follows from, "hidden_size = 64", or ""
   */
  public WeightTensor require(String tensor, String fields, long[] shape) {
    WeightTensor found =
        find(tensor)
            .orElseThrow(
                () ->
                    new TopvException(
                        name
                            + ": tensor "
                            + Text.oneLine(tensor)
                            + " is missing; config.json expects it with shape "
                            + Arrays.toString(shape)));
    if (!found.info().hasShape(shape)) {
      throw new TopvException(
          found.describe()
              + " has shape "
              + Arrays.toString(found.shape())
              + ", config.json "
              + (fields.isEmpty() ? "" : "(" + fields + ") ")
              + "expects "
              + Arrays.toString(shape));
    }
    found.dtype();
    return found;
  }

  @Override
  public void release() {
    files.forEach(SafetensorsFile::release);
  }

  /** Unmaps all files: the memory of every tensor is gone. */
  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
