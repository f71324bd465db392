package io.topv.engine.weights;

import io.topv.engine.TopvException;
import io.topv.runtime.MappedFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** One safetensors file, mapped into memory; its header has been checked. */
public final class SafetensorsFile implements AutoCloseable {
  private final MappedFile mapped;
  private final SafetensorsHeader header;
  private final Map<String, WeightTensor> tensors = new LinkedHashMap<>();

  private SafetensorsFile(String file, MappedFile mapped, SafetensorsHeader header) {
    this.mapped = mapped;
    this.header = header;
    for (TensorInfo info : header.tensors()) {
      tensors.put(info.name(), new WeightTensor(file, mapped, info));
    }
  }

  public static SafetensorsFile open(Path file) {
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new TopvException(file + ": " + (Files.exists(file) ? "not readable" : "no such file"));
    }
    MappedFile mapped = MappedFile.open(file);
    try {
      int head = (int) Math.min(mapped.size(), 8L + SafetensorsHeader.MAX_HEADER_BYTES);
      SafetensorsHeader header =
          SafetensorsHeader.parse(file.toString(), mapped.bytes(0, head), mapped.size());
      return new SafetensorsFile(file.toString(), mapped, header);
    } catch (RuntimeException | Error e) {
      mapped.close();
      throw e;
    }
  }

  public SafetensorsHeader header() {
    return header;
  }

  public Collection<WeightTensor> tensors() {
    return Collections.unmodifiableCollection(tensors.values());
  }

  public Optional<WeightTensor> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /** As {@link WeightSource#release}. */
  void release() {
    mapped.release();
  }

  /** Unmaps the file: the memory of its tensors is gone. */
  @Override
  public void close() {
    mapped.close();
  }
}
