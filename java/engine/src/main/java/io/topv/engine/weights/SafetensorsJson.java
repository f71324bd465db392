package io.topv.engine.weights;

import io.topv.engine.TopvException;
import io.topv.engine.config.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * The JSON of a safetensors header, token by token: nothing that is not expected at its place is
 * ever built up in memory.
 */
final class SafetensorsJson {
  private static final String METADATA = "__metadata__";
  private static final int MAX_DIMENSIONS = 32;
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(4)
                  .maxNumberLength(32)
                  .maxNameLength(4096)
                  .maxStringLength(SafetensorsHeader.MAX_HEADER_BYTES)
                  .build())
          .build();

  private final String file;
  private final JsonParser parser;
  private final long dataStart;
  private final List<TensorInfo> tensors = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private SafetensorsJson(String file, JsonParser parser, long dataStart) {
    this.file = file;
    this.parser = parser;
    this.dataStart = dataStart;
  }

  static SafetensorsJson parse(String file, String json, long dataStart) {
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
      SafetensorsJson header = new SafetensorsJson(file, parser, dataStart);
      header.readAll();
      return header;
    } catch (JacksonException e) {
      throw new TopvException(
          file + ": header is not valid JSON: " + Text.oneLine(e.getOriginalMessage()), e);
    }
  }

  List<TensorInfo> tensors() {
    return tensors;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  private void readAll() {
    require(parser.nextToken() == JsonToken.START_OBJECT, "header", "an object");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals(METADATA)) {
        readMetadata();
      } else {
        readTensor(name);
      }
    }
    require(parser.nextToken() == null, "header", "nothing after the object");
  }

  private void readMetadata() {
    require(parser.currentToken() == JsonToken.START_OBJECT, METADATA, "an object of strings");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      require(
          parser.nextToken() == JsonToken.VALUE_STRING,
          METADATA + "." + Text.oneLine(key),
          "a string");
      metadata.put(key, parser.getString());
    }
  }

  private void readTensor(String name) {
    String place = "tensor " + Text.oneLine(name);
    require(parser.currentToken() == JsonToken.START_OBJECT, place, "an object");
    Optional<StorageType> type = Optional.empty();
    Optional<long[]> shape = Optional.empty();
    Optional<long[]> offsets = Optional.empty();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String field = parser.currentName();
      parser.nextToken();
      switch (field) {
        case "dtype" -> type = Optional.of(readType(place));
        case "shape" -> shape = Optional.of(readNumbers(place + ": shape"));
        case "data_offsets" -> offsets = Optional.of(readNumbers(place + ": data_offsets"));
        default ->
            throw new TopvException(
                file
                    + ": "
                    + place
                    + ": unknown field "
                    + Text.oneLine(field)
                    + "; expected dtype, shape and data_offsets");
      }
    }
    if (type.isEmpty() || shape.isEmpty() || offsets.isEmpty()) {
      throw new TopvException(
          file
              + ": "
              + place
              + ": "
              + (type.isEmpty() ? "dtype" : shape.isEmpty() ? "shape" : "data_offsets")
              + " is missing");
    }
    tensors.add(checked(place, name, type.get(), shape.get(), offsets.get()));
  }

  private StorageType readType(String place) {
    require(parser.currentToken() == JsonToken.VALUE_STRING, place + ": dtype", "a string");
    String name = parser.getString();
    return StorageType.named(name)
        .orElseThrow(
            () ->
                new TopvException(
                    file + ": " + place + ": dtype = " + Text.oneLine(name) + " is unknown"));
  }

  /** A list of integers in [0, 2^63). */
  private long[] readNumbers(String place) {
    require(parser.currentToken() == JsonToken.START_ARRAY, place, "a list of integers");
    long[] numbers = new long[MAX_DIMENSIONS];
    int count = 0;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      boolean isLong =
          parser.currentToken() == JsonToken.VALUE_NUMBER_INT
              && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
      require(isLong && parser.getLongValue() >= 0, place, "integers from 0 to 2^63 - 1");
      require(count < MAX_DIMENSIONS, place, "at most " + MAX_DIMENSIONS + " of them");
      numbers[count++] = parser.getLongValue();
    }
    return Arrays.copyOf(numbers, count);
  }

  private TensorInfo checked(
      String place, String name, StorageType type, long[] shape, long[] offsets) {
    if (offsets.length != 2 || offsets[0] > offsets[1]) {
      throw new TopvException(
          file
              + ": "
              + place
              + ": data_offsets = "
              + Arrays.toString(offsets)
              + "; expected [begin, end] with begin <= end");
    }
    long bytes = offsets[1] - offsets[0];
    long bits;
    try {
      bits = type.bits();
      for (long size : shape) {
        bits = Math.multiplyExact(bits, size);
      }
      Math.addExact(offsets[1], dataStart);
    } catch (ArithmeticException e) {
      throw new TopvException(
          file
              + ": "
              + place
              + ": shape = "
              + Arrays.toString(shape)
              + ", data_offsets = "
              + Arrays.toString(offsets)
              + ": beyond 2^63",
          e);
    }
    if (bits % 8 != 0 || bits / 8 != bytes) {
      throw new TopvException(
          file
              + ": "
              + place
              + ": data_offsets hold "
              + bytes
              + " bytes, but shape = "
              + Arrays.toString(shape)
              + " of dtype "
              + type
              + " needs "
              + (bits / 8));
    }
    return new TensorInfo(name, type, shape, dataStart + offsets[0], bytes);
  }

  private void require(boolean holds, String place, String expected) {
    if (!holds) {
      throw new TopvException(
          file
              + ": "
              + place
              + " = "
              + Text.oneLine(String.valueOf(parser.getString()))
              + "; expected "
              + expected);
    }
  }
}
