package io.topv.engine.weights;

import io.topv.engine.TopvException;
import io.topv.runtime.Context;
import io.topv.runtime.DType;
import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.MappedFile;
import io.topv.runtime.Tensor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * Made-up weights for measurements: every tensor, whatever its name and shape, is a piece of one
 * file of random bfloat16 numbers, so that a model of any size needs no file of its size. The file
 * travels to the device once; weights are made of it there. The last {@link #SCALES} numbers lie
 * about 1 and serve as the weights of norms. scripts/bench_e2e reads the file by the same rule.
 */
public final class TensorPool implements WeightSource {
  static final int SCALES = 1 << 16;

  /** A tensor begins at a multiple of so many elements. */
  private static final int STEP = 64;

  private static final Set<String> NAMES =
      Set.of(
          "language_model.model.norm.weight",
          "language_model.model.embed_tokens.weight",
          "language_model.lm_head.weight",
          "vision_tower.vision_model.pre_layrnorm.weight",
          "multi_modal_projector.linear_1.weight");

  private final MappedFile file;
  private final long elements;
  private final DeviceBuffer device;

  private TensorPool(MappedFile file, DeviceBuffer device) {
    this.file = file;
    this.elements = file.size() / DType.BF16.bytes();
    this.device = device;
  }

  /** The pool in a file, copied to the memory of {@code context}. */
  public static TensorPool open(Path path, Context context) {
    MappedFile file = MappedFile.open(path);
    try {
      long elements = file.size() / DType.BF16.bytes();
      if (elements <= SCALES) {
        throw new TopvException(path + ": " + elements + " numbers are too few for a pool");
      }
      DeviceBuffer device = context.allocate(DType.BF16, 1, elements);
      long bytes = elements * DType.BF16.bytes();
      device.tensor(DType.BF16, 1, elements).put(file.slice(0, bytes));
      context.synchronize();
      return new TensorPool(file, device);
    } catch (RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  @Override
  public String name() {
    return file.path().toString();
  }

  @Override
  public Set<String> names() {
    return NAMES;
  }

  @Override
  public WeightTensor require(String tensor, long... shape) {
    long count = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    boolean scale = shape.length == 1 && tensor.matches(".*norm\\d?\\.weight");
    long first = scale ? elements - SCALES : 0;
    long room = (scale ? SCALES : elements - SCALES) - count;
    if (room < 0) {
      throw new TopvException(
          "%s: tensor %s needs %d numbers, %d too many".formatted(name(), tensor, count, -room));
    }
    CRC32 hash = new CRC32();
    hash.update(tensor.getBytes(StandardCharsets.UTF_8));
    long offset = first + hash.getValue() % (room / STEP + 1) * STEP;
    int bytes = DType.BF16.bytes();
    TensorInfo info =
        new TensorInfo(tensor, StorageType.BF16, shape, offset * bytes, count * bytes);
    Tensor there = device.tensor(DType.BF16, 1, count, offset * bytes);
    return new WeightTensor(name(), file, info, Optional.of(there));
  }

  @Override
  public void release() {
    file.release();
  }

  @Override
  public void close() {
    device.close();
    file.close();
  }
}
