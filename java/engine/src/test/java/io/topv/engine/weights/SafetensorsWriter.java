package io.topv.engine.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Writes safetensors files, valid ones and, entry by entry, ones that lie. */
final class SafetensorsWriter {
  record Entry(String name, String dtype, long[] shape, long begin, long end) {
    String json() {
      String dimensions =
          Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(","));
      return "\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%d,%d]}"
          .formatted(name, dtype, dimensions, begin, end);
    }
  }

  private final List<Entry> entries = new ArrayList<>();
  private final List<byte[]> data = new ArrayList<>();
  private long end;

  SafetensorsWriter add(String name, StorageType type, byte[] bytes, long... shape) {
    entries.add(new Entry(name, type.name(), shape, end, end + bytes.length));
    data.add(bytes);
    end += bytes.length;
    return this;
  }

  SafetensorsWriter addFloats(String name, float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return add(name, StorageType.F32, bytes.array(), shape);
  }

  List<Entry> entries() {
    return entries;
  }

  byte[] data() {
    ByteBuffer all = ByteBuffer.allocate((int) end);
    data.forEach(all::put);
    return all.array();
  }

  byte[] toBytes() {
    return file(
        entries.stream().map(Entry::json).collect(Collectors.joining(",", "{", "}")), data());
  }

  void write(Path file) throws IOException {
    Files.write(file, toBytes());
  }

  /**
   * Any header text, padded with spaces to 8 bytes as the reference implementation does, and data.
   */
  static byte[] file(String header, byte[] data) {
    byte[] utf8 = header.getBytes(StandardCharsets.UTF_8);
    int padded = (utf8.length + 7) / 8 * 8;
    return file(padded, Arrays.copyOf(utf8, padded), utf8.length, data);
  }

  private static byte[] file(long length, byte[] header, int used, byte[] data) {
    Arrays.fill(header, used, header.length, (byte) ' ');
    return ByteBuffer.allocate(8 + header.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(header)
        .put(data)
        .array();
  }
}
