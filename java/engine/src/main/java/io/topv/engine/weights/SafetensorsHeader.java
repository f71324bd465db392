package io.topv.engine.weights;

import io.topv.engine.TopvException;
import io.topv.engine.config.Text;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The head of a safetensors file: eight bytes of length N (little-endian), then N bytes of JSON
 * that name every tensor. What is believed is checked: the tensors cover the rest of the file
 * without gap or overlap, each with as many bytes as its shape and type need.
 *
 * @param tensors in the order of their data
 * @param metadata the __metadata__ strings; empty when there are none
 * @param dataStart offset of the first tensor's data in the file
 */
public record SafetensorsHeader(
    List<TensorInfo> tensors, Map<String, String> metadata, long dataStart) {

  /** The limit of the reference implementation. */
  public static final int MAX_HEADER_BYTES = 100_000_000;

  private static final int LENGTH_BYTES = 8;

  public SafetensorsHeader {
    tensors = List.copyOf(tensors);
    metadata = Map.copyOf(metadata);
  }

  /**
   * Reads and checks a header.
   *
   * @param file what errors call the file
   * @param head the first bytes of the file, from position 0: all of them, or at least {@code
   *     LENGTH_BYTES + MAX_HEADER_BYTES}
   * @param fileBytes size of the whole file
   */
  public static SafetensorsHeader parse(String file, ByteBuffer head, long fileBytes) {
    if (fileBytes < LENGTH_BYTES) {
      throw new TopvException(
          file
              + ": "
              + fileBytes
              + " bytes; a safetensors file starts with 8 bytes of header length");
    }
    long length = head.duplicate().order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    if (length < 2 || length > MAX_HEADER_BYTES) {
      throw new TopvException(
          file
              + ": header length = "
              + Long.toUnsignedString(length)
              + "; expected 2 to "
              + MAX_HEADER_BYTES
              + " (not a safetensors file?)");
    }
    long dataStart = LENGTH_BYTES + length;
    if (dataStart > fileBytes) {
      throw new TopvException(
          file + ": header length = " + length + ", but the file has only " + fileBytes + " bytes");
    }
    String json = text(file, head.slice(LENGTH_BYTES, (int) length));
    SafetensorsJson parsed = SafetensorsJson.parse(file, json, dataStart);
    List<TensorInfo> tensors = new ArrayList<>(parsed.tensors());
    tensors.sort(Comparator.comparingLong(TensorInfo::offset).thenComparingLong(TensorInfo::bytes));
    requireCover(file, tensors, dataStart, fileBytes);
    return new SafetensorsHeader(tensors, parsed.metadata(), dataStart);
  }

  private static String text(String file, ByteBuffer utf8) {
    if (utf8.get(0) != '{') {
      throw new TopvException(file + ": header does not start with '{' (not a safetensors file?)");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
    } catch (CharacterCodingException e) {
      throw new TopvException(file + ": header is not UTF-8", e);
    }
  }

  /**
   * Tensors in order of their offsets must follow each other exactly, up to the end of the file.
   */
  private static void requireCover(
      String file, List<TensorInfo> tensors, long dataStart, long fileBytes) {
    long end = dataStart;
    for (TensorInfo tensor : tensors) {
      if (tensor.offset() != end) {
        throw new TopvException(
            file
                + ": tensor "
                + Text.oneLine(tensor.name())
                + ": data_offsets start at "
                + (tensor.offset() - dataStart)
                + (tensor.offset() < end ? ", inside" : ", leaving a gap after")
                + " the tensor before, which ends at "
                + (end - dataStart));
      }
      if (tensor.bytes() > fileBytes - end) {
        throw new TopvException(
            file
                + ": tensor "
                + Text.oneLine(tensor.name())
                + ": data_offsets end at "
                + (end - dataStart + tensor.bytes())
                + ", but the file has only "
                + (fileBytes - dataStart)
                + " bytes of data (truncated?)");
      }
      end += tensor.bytes();
    }
    if (end != fileBytes) {
      throw new TopvException(
          file
              + ": "
              + (fileBytes - end)
              + " bytes after the last tensor belong to none; expected "
              + end
              + " bytes in all");
    }
  }
}
