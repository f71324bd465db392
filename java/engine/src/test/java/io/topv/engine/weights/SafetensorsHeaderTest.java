package io.topv.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class SafetensorsHeaderTest {
  private static final String A = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";

  private static SafetensorsHeader parse(byte[] file) {
    return SafetensorsHeader.parse("m.safetensors", ByteBuffer.wrap(file), file.length);
  }

  private static byte[] file(String header, int dataBytes) {
    return SafetensorsWriter.file(header, new byte[dataBytes]);
  }

  @Test
  void readsTensorsInDataOrderAndMetadata() {
    String b = "\"b\":{\"shape\":[],\"data_offsets\":[8,10],\"dtype\":\"BF16\"}";
    SafetensorsHeader header =
        parse(file("{\"__metadata__\":{\"format\":\"pt\"}," + b + "," + A + "}", 10));
    assertThat(header.metadata()).containsEntry("format", "pt").hasSize(1);
    assertThat(header.tensors()).extracting(TensorInfo::name).containsExactly("a", "b");
    assertThat(header.tensors().get(1).elements()).isEqualTo(1);
    assertThat(header.tensors().get(1).offset()).isEqualTo(header.dataStart() + 8);
  }

  @Test
  void acceptsNoTensorsAndEmptyTensors() {
    assertThat(parse(file("{}", 0)).tensors()).isEmpty();
    String empty = "\"e\":{\"dtype\":\"I64\",\"shape\":[3,0,5],\"data_offsets\":[8,8]}";
    assertThat(parse(file("{" + A + "," + empty + "}", 8)).tensors()).hasSize(2);
  }

  @Test
  void listsTypesThatAreNoWeights() {
    for (StorageType type : StorageType.values()) {
      String json =
          "{\"t\":{\"dtype\":\"%s\",\"shape\":[8],\"data_offsets\":[0,%d]}}"
              .formatted(type, type.bits());
      assertThat(parse(file(json, type.bits())).tensors().get(0).type()).isEqualTo(type);
    }
  }

  static Stream<Arguments> lies() {
    return Stream.of(
        lie("{" + A + "}", 7, "data_offsets end at 8, but the file has only 7 bytes of data"),
        lie("{" + A + "}", 9, "1 bytes after the last tensor"),
        lie("{" + A + "," + A + "}", 8, "not valid JSON: Duplicate"),
        lie(
            "{" + A + "," + A.replace("\"a\"", "\"b\"") + "}",
            8,
            "tensor b: data_offsets start at 0, inside"),
        lie(
            "{" + A + "," + A.replace("\"a\"", "\"b\"").replace("0,8", "4,12") + "}",
            12,
            "start at 4, inside"),
        lie(
            "{" + A + "," + A.replace("\"a\"", "\"b\"").replace("0,8", "12,20") + "}",
            20,
            "start at 12, leaving a gap"),
        lie("{" + A.replace("0,8", "4,12") + "}", 12, "start at 4, leaving a gap"),
        lie("{" + A.replace("0,8", "8,0") + "}", 8, "expected [begin, end]"),
        lie("{" + A.replace("0,8", "0,8,8") + "}", 8, "expected [begin, end]"),
        lie("{" + A.replace("0,8", "8") + "}", 8, "expected [begin, end]"),
        lie("{" + A.replace("0,8", "-8,0") + "}", 8, "data_offsets = -8; expected integers"),
        lie("{" + A.replace("0,8", "0,8.0") + "}", 8, "data_offsets = 8.0; expected integers"),
        lie("{" + A.replace("0,8", "0,9223372036854775808") + "}", 8, "expected integers"),
        lie(
            "{" + A.replace("0,8", "9223372036854775799,9223372036854775807") + "}",
            8,
            "beyond 2^63"),
        lie(
            "{" + A.replace("[2]", "[3]") + "}",
            8,
            "hold 8 bytes, but shape = [3] of dtype F32 needs 12"),
        lie("{" + A.replace("[2]", "[-2]") + "}", 8, "shape = -2; expected integers"),
        lie("{" + A.replace("[2]", "[4294967296,4294967296,2]") + "}", 8, "beyond 2^63"),
        lie("{" + A.replace("[2]", "[2,\"1\"]") + "}", 8, "shape = 1; expected integers"),
        lie("{" + A.replace("[2]", "[[2]]") + "}", 8, "shape = [; expected integers"),
        lie("{" + A.replace("[2]", "2") + "}", 8, "shape = 2; expected a list"),
        lie("{" + A.replace("[2]", "[" + "1,".repeat(32) + "2]") + "}", 8, "at most 32"),
        lie("{" + A.replace("F32", "F33") + "}", 8, "tensor a: dtype = F33 is unknown"),
        lie("{" + A.replace("F32", "f32") + "}", 8, "dtype = f32 is unknown"),
        lie("{" + A.replace("\"F32\"", "32") + "}", 8, "dtype = 32; expected a string"),
        lie("{" + A.replace("F32", "F4").replace("[2]", "[3]") + "}", 8, "needs 1"),
        lie("{" + A.replace("\"dtype\":\"F32\",", "") + "}", 8, "dtype is missing"),
        lie("{" + A.replace("\"shape\":[2],", "") + "}", 8, "shape is missing"),
        lie("{" + A.replace(",\"data_offsets\":[0,8]", "") + "}", 8, "data_offsets is missing"),
        lie(
            "{" + A.replace("\"shape\"", "\"strides\":[1],\"shape\"") + "}",
            8,
            "unknown field strides"),
        lie("{\"a\":[]}", 0, "tensor a = [; expected an object"),
        lie("{\"a\":null}", 0, "tensor a = null; expected an object"),
        lie("{\"__metadata__\":[]}", 0, "__metadata__ = [; expected an object of strings"),
        lie("{\"__metadata__\":{\"k\":1}}", 0, "__metadata__.k = 1; expected a string"),
        lie("{\"__metadata__\":{\"k\":{}}}", 0, "__metadata__.k = {; expected a string"),
        lie("{\"a\":" + "[".repeat(100_000), 0, "not valid JSON|expected an object"),
        lie("{\"a\":{\"shape\":" + "[".repeat(100_000), 0, "not valid JSON|expected integers"),
        lie("[]", 0, "does not start with '{'"),
        lie(" {}", 0, "does not start with '{'"),
        lie("{} {}", 0, "expected nothing after the object"),
        lie("{" + A, 8, "not valid JSON"),
        lie("{\"a\n\u2028b\":1}", 0, "not valid JSON|tensor a  b"),
        lie("{" + A.replace("[0,8]", "[0,NaN]") + "}", 8, "not valid JSON"));
  }

  private static Arguments lie(String header, int dataBytes, String message) {
    return Arguments.of(header, dataBytes, message);
  }

  @ParameterizedTest
  @MethodSource("lies")
  void refusesEveryLie(String header, int dataBytes, String message) {
    assertThatThrownBy(() -> parse(file(header, dataBytes)))
        .isInstanceOf(TopvException.class)
        .message()
        .startsWith("m.safetensors: ")
        .hasLineCount(1)
        .satisfies(
            text -> assertThat(Arrays.stream(message.split("\\|"))).anyMatch(text::contains));
  }

  @Test
  void refusesLengthsThatCannotBe() {
    for (byte[] tooShort : new byte[][] {{}, {1}, {2, 0, 0, 0, 0, 0, 0}}) {
      assertThatThrownBy(() -> parse(tooShort))
          .hasMessage(
              "m.safetensors: %d bytes; a safetensors file starts with 8 bytes of header length",
              tooShort.length);
    }
    for (long length : new long[] {0, 1, -1, Long.MIN_VALUE, 100_000_001, Long.MAX_VALUE}) {
      byte[] file = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
      assertThatThrownBy(() -> parse(file))
          .isInstanceOf(TopvException.class)
          .hasMessageContaining("header length = " + Long.toUnsignedString(length) + "; expected");
    }
    byte[] beyond = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN).putLong(25).array();
    assertThatThrownBy(() -> parse(beyond))
        .hasMessage("m.safetensors: header length = 25, but the file has only 32 bytes");
  }

  @Test
  void refusesTextThatIsNotUtf8() {
    byte[] invalid = SafetensorsWriter.file("{\"__metadata__\":{\"k\":\"??\"}}", new byte[0]);
    int at = new String(invalid, StandardCharsets.ISO_8859_1).indexOf("??");
    for (byte[] bytes : new byte[][] {{(byte) 0xff, '?'}, {(byte) 0xc0, (byte) 0x80}}) {
      System.arraycopy(bytes, 0, invalid, at, 2);
      assertThatThrownBy(() -> parse(invalid)).hasMessage("m.safetensors: header is not UTF-8");
    }
    byte[] utf16 = "{}  ".getBytes(StandardCharsets.UTF_16LE);
    assertThatThrownBy(
            () ->
                parse(
                    ByteBuffer.allocate(16)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(8)
                        .put(utf16)
                        .array()))
        .isInstanceOf(TopvException.class);
  }
}
