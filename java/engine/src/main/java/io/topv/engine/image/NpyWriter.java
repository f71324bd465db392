package io.topv.engine.image;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/** NumPy's .npy, version 1.0, little-endian float32 in C order. */
public final class NpyWriter {
  private static final int ALIGNMENT = 64;

  private NpyWriter() {}

  /**
   * @param shape dimensions, outermost first; their product is {@code values.length}
   * @throws TopvException when the file cannot be written
   */
  public static void write(Path file, float[] values, int... shape) {
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(header(values.length, shape));
      ByteBuffer block = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
      for (float value : values) {
        block.putFloat(value);
        if (!block.hasRemaining()) {
          out.write(block.array());
          block.clear();
        }
      }
      out.write(block.array(), 0, block.position());
    } catch (IOException e) {
      throw new TopvException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  private static byte[] header(int count, int... shape) {
    if (Arrays.stream(shape).asLongStream().reduce(1, (a, b) -> a * b) != count) {
      throw new IllegalArgumentException(count + " values in shape " + Arrays.toString(shape));
    }
    String sizes = Arrays.stream(shape).mapToObj(String::valueOf).collect(Collectors.joining(", "));
    sizes += shape.length == 1 ? "," : "";
    String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + "), }";
    int length = (10 + text.length() + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - 10;
    text += " ".repeat(length - text.length() - 1) + "\n";
    ByteBuffer header = ByteBuffer.allocate(10 + length).order(ByteOrder.LITTLE_ENDIAN);
    header.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0}).putShort((short) length);
    return header.put(text.getBytes(StandardCharsets.ISO_8859_1)).array();
  }
}
