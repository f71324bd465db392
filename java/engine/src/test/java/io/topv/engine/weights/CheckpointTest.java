package io.topv.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.runtime.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CheckpointTest {
  private static final float[] VALUES = {1.5f, -2, Float.MIN_VALUE, Float.NEGATIVE_INFINITY};

  @TempDir private Path dir;

  @BeforeEach
  void shards() throws IOException {
    new SafetensorsWriter().addFloats("a", VALUES, 2, 2).write(dir.resolve("s1.safetensors"));
    new SafetensorsWriter()
        .add("b", StorageType.BF16, new byte[] {(byte) 0x80, 0x3f, 0x00, (byte) 0xc0}, 2)
        .add("ids", StorageType.U8, new byte[1], 1)
        .add("h", StorageType.F16, new byte[] {0x00, 0x3c}, 1)
        .write(dir.resolve("s2.safetensors"));
  }

  private void index(String weightMap) throws IOException {
    Files.writeString(
        dir.resolve("model.safetensors.index.json"),
        "{\"metadata\":{\"total_size\":1},\"weight_map\":" + weightMap.replace('\'', '"') + "}");
  }

  private void refuses(String message) {
    assertThatThrownBy(() -> Checkpoint.open(dir))
        .isInstanceOf(TopvException.class)
        .message()
        .startsWith(dir.toString())
        .contains(message)
        .hasLineCount(1);
  }

  @Test
  void readsShardsByTheirIndex() throws IOException {
    index("{'a':'s1.safetensors','b':'s2.safetensors','h':'s2.safetensors'}");
    try (Checkpoint checkpoint = Checkpoint.open(dir)) {
      assertThat(checkpoint.names()).containsExactly("a", "b", "ids", "h");
      assertThat(checkpoint.bytes()).isEqualTo(16 + 4 + 1 + 2);
      assertThat(checkpoint.require("a", 2, 2).toFloats()).containsExactly(VALUES);
      WeightTensor b = checkpoint.require("b", 2);
      assertThat(b.dtype()).isEqualTo(DType.BF16);
      assertThat(b.toFloats()).containsExactly(1, -2);
      assertThat(b.memory().address() % 2).isZero();
      assertThat(checkpoint.find("nothing")).isEmpty();
    }
  }

  /**
   * All 65,536 patterns of each 16-bit type against the value that its exponent and fraction give.
   */
  @ParameterizedTest
  @CsvSource({"F16,10,15", "BF16,7,127"})
  void widensEveryPattern(StorageType type, int fractionBits, int bias) throws IOException {
    ByteBuffer patterns = ByteBuffer.allocate(1 << 17).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits = 0; bits < 1 << 16; bits++) {
      patterns.putShort((short) bits);
    }
    new SafetensorsWriter()
        .add("x", type, patterns.array(), 256, 256)
        .write(dir.resolve("model.safetensors"));
    try (Checkpoint checkpoint = Checkpoint.open(dir)) {
      float[] floats = checkpoint.require("x", 256, 256).toFloats();
      for (int bits = 0; bits < 1 << 16; bits++) {
        int exponent = (bits & 0x7fff) >> fractionBits;
        int steps = bits & (1 << fractionBits) - 1;
        double fraction = Math.scalb((double) steps, -fractionBits);
        double magnitude =
            exponent == 2 * bias + 1
                ? (steps == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
                : exponent == 0
                    ? Math.scalb(fraction, 1 - bias)
                    : Math.scalb(1 + fraction, exponent - bias);
        float expected = (float) (bits < 0x8000 ? magnitude : -magnitude);
        assertThat(Float.floatToIntBits(floats[bits]))
            .as("%s %04x", type, bits)
            .isEqualTo(Float.floatToIntBits(expected));
      }
    }
  }

  @Test
  void saysWhatDiffersFromTheConfiguration() throws IOException {
    Files.copy(dir.resolve("s1.safetensors"), dir.resolve("model.safetensors"));
    try (Checkpoint checkpoint = Checkpoint.open(dir)) {
      assertThatThrownBy(() -> checkpoint.require("a", "hidden_size = 4", new long[] {2, 4}))
          .isInstanceOf(TopvException.class)
          .hasMessage(
              dir.resolve("model.safetensors")
                  + ": tensor a has shape [2, 2], config.json (hidden_size = 4) expects [2, 4]");
      assertThatThrownBy(() -> checkpoint.require("c", 3))
          .isInstanceOf(TopvException.class)
          .hasMessage(
              dir.resolve("model.safetensors")
                  + ": tensor c is missing; config.json expects it with shape [3]");
    }
  }

  @Test
  void refusesTypesThatAreNoWeightsAndUnalignedData() throws IOException {
    Files.copy(dir.resolve("s2.safetensors"), dir.resolve("model.safetensors"));
    try (Checkpoint checkpoint = Checkpoint.open(dir)) {
      assertThatThrownBy(() -> checkpoint.require("ids", 1))
          .isInstanceOf(TopvException.class)
          .hasMessageContaining("tensor ids: dtype = U8 cannot be read as weights; supported: F32");
      assertThatThrownBy(() -> checkpoint.require("h", 1).memory())
          .isInstanceOf(TopvException.class)
          .hasMessageContaining("is not a multiple of 2");
    }
  }

  @Test
  void refusesAnIndexThatLies() throws IOException {
    index("{'a':'s2.safetensors','b':'s2.safetensors'}");
    refuses("weight_map.a = s2.safetensors, but that file has no such tensor");
    index("{'a':'s2.safetensors','b':'s1.safetensors'}");
    refuses("but that file does not hold it");
    index("{'a':'s1.safetensors','b':'s3.safetensors'}");
    refuses("s3.safetensors: no such file");
    index("{}");
    refuses("weight_map = {object}; expected at least one tensor");
    index("[]");
    refuses("weight_map = [list of 0]; expected an object");
    index("{'a':1}");
    refuses("weight_map.a = 1; expected a string");
    for (String path : new String[] {"../s1.safetensors", "/s1.safetensors", "x/s1.safetensors"}) {
      index("{'a':'" + path + "'}");
      refuses("weight_map.a = \"" + path + "\"; expected a file name");
    }
    for (String path : new String[] {"..", "", ".safetensors", "s1.bin", "s1.safetensors\\u0000"}) {
      index("{'a':'" + path + "'}");
      refuses("expected a file name");
    }
    Files.copy(dir.resolve("s1.safetensors"), dir.resolve("s4.safetensors"));
    index("{'a':'s1.safetensors','z':'s4.safetensors'}");
    refuses("tensor a is in two shards, " + dir.resolve("s1.safetensors") + " and ");
  }

  /** A sparse file of 5 GiB: offsets beyond 2^32 must not wrap. */
  @Test
  void readsBeyondFourGiB() throws IOException {
    long hole = 5L << 30;
    String header =
        "{\"hole\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%<d]},".formatted(hole)
            + "\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%d,%d]}}"
                .formatted(hole, hole + 8);
    byte[] head = SafetensorsWriter.file(header, new byte[0]);
    ByteBuffer values = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    values.putFloat(0.5f).putFloat(-3).flip();
    try (FileChannel file =
        FileChannel.open(
            dir.resolve("model.safetensors"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      file.write(ByteBuffer.wrap(head));
      file.write(values, head.length + hole);
    }
    try (Checkpoint checkpoint = Checkpoint.open(dir)) {
      assertThat(checkpoint.bytes()).isEqualTo(hole + 8);
      assertThat(checkpoint.require("x", 2).toFloats()).containsExactly(0.5f, -3);
    }
  }

  @Test
  void refusesDirectoriesWithoutWeights() throws IOException {
    refuses("has neither model.safetensors nor model.safetensors.index.json");
    Files.createFile(dir.resolve("pytorch_model.bin"));
    refuses("pytorch_model.bin is not supported");
    Files.createDirectory(dir.resolve("model.safetensors"));
    refuses("model.safetensors: not readable");
    Files.delete(dir.resolve("model.safetensors"));
    Files.createFile(dir.resolve("model.safetensors"));
    refuses("model.safetensors: 0 bytes; a safetensors file starts with");
  }
}
