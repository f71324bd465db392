package io.topv.engine.weights;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.topv.engine.TopvException;
import java.nio.ByteBuffer;

/**
 * Whatever the bytes: a header whose tensors lie inside the file, or a TopvException of one line.
 */
final class SafetensorsFuzzTest {
  @FuzzTest(maxDuration = "30s")
  void header(byte[] file) {
    SafetensorsHeader header;
    try {
      header = SafetensorsHeader.parse("fuzz", ByteBuffer.wrap(file), file.length);
    } catch (TopvException e) {
      if (e.getMessage().lines().count() != 1) {
        throw new AssertionError("not one line: " + e.getMessage());
      }
      return;
    }
    long end = header.dataStart();
    for (TensorInfo tensor : header.tensors()) {
      if (tensor.offset() != end
          || tensor.bytes() * 8 != tensor.elements() * tensor.type().bits()) {
        throw new AssertionError(tensor.toString());
      }
      end += tensor.bytes();
    }
    if (end != file.length) {
      throw new AssertionError("covers " + end + " of " + file.length);
    }
  }
}
