package io.topv.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.engine.weights.SafetensorsWriter.Entry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a writer wrote is read back; the same file with one thing changed is refused. */
final class SafetensorsPropertyTest {
  private static final int CASES = 200;

  private static SafetensorsWriter randomFile(Random random) {
    SafetensorsWriter writer = new SafetensorsWriter();
    StorageType[] types = {
      StorageType.F32, StorageType.BF16, StorageType.F16, StorageType.I64, StorageType.U8
    };
    int count = 1 + random.nextInt(8);
    for (int i = 0; i < count; i++) {
      StorageType type = types[random.nextInt(types.length)];
      long[] shape = random.longs(random.nextInt(4), 1, 5).toArray();
      int elements = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
      byte[] bytes = new byte[elements * type.bits() / 8];
      random.nextBytes(bytes);
      writer.add("t.\u00e9" + i, type, bytes, shape);
    }
    return writer;
  }

  private static SafetensorsHeader parse(byte[] file) {
    return SafetensorsHeader.parse("m", ByteBuffer.wrap(file), file.length);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void roundTrips(long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < CASES; i++) {
      SafetensorsWriter writer = randomFile(random);
      SafetensorsHeader header = parse(writer.toBytes());
      List<Entry> read = new ArrayList<>();
      for (TensorInfo t : header.tensors()) {
        long begin = t.offset() - header.dataStart();
        read.add(new Entry(t.name(), t.type().name(), t.shape(), begin, begin + t.bytes()));
      }
      assertThat(read).usingRecursiveFieldByFieldElementComparator().isEqualTo(writer.entries());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {4, 5, 6})
  void refusesEverySingleChange(long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < CASES; i++) {
      SafetensorsWriter writer = randomFile(random);
      List<Entry> entries = new ArrayList<>(writer.entries());
      int at = random.nextInt(entries.size());
      Entry e = entries.get(at);
      long step = 1 + random.nextInt(9);
      switch (random.nextInt(7)) {
        case 0 ->
            entries.set(at, new Entry(e.name(), e.dtype(), e.shape(), e.begin() + step, e.end()));
        case 1 ->
            entries.set(at, new Entry(e.name(), e.dtype(), e.shape(), e.begin(), e.end() + step));
        case 2 ->
            entries.set(
                at, new Entry(e.name(), e.dtype(), e.shape(), e.begin() + step, e.end() + step));
        case 3 -> entries.remove(at);
        case 4 -> entries.add(e);
        case 5 ->
            entries.set(at, new Entry(e.name(), e.dtype() + "X", e.shape(), e.begin(), e.end()));
        default -> {
          long[] longer = Arrays.copyOf(e.shape(), e.shape().length + 1);
          longer[longer.length - 1] = 1 + step;
          entries.set(at, new Entry(e.name(), e.dtype(), longer, e.begin(), e.end()));
        }
      }
      String header = entries.stream().map(Entry::json).collect(Collectors.joining(",", "{", "}"));
      assertThatThrownBy(() -> parse(SafetensorsWriter.file(header, writer.data())))
          .as(header)
          .isInstanceOf(TopvException.class)
          .message()
          .hasLineCount(1);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {7, 8})
  void refusesEveryTruncation(long seed) {
    byte[] file = randomFile(new Random(seed)).toBytes();
    for (int length = 0; length < file.length; length++) {
      byte[] cut = Arrays.copyOf(file, length);
      assertThatThrownBy(() -> parse(cut)).as("%d bytes", length).isInstanceOf(TopvException.class);
    }
  }
}
