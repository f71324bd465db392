package io.topv.flashattention;

import static io.topv.flashattention.global.flash_attn.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * An open context and its device memory. The test of this module runs it on the emulated device.
 */
final class Memory implements AutoCloseable {
  final flash_attn_context context = new flash_attn_context();
  private final List<Pointer> taken = new ArrayList<>();

  Memory() {
    ok(flash_attn_open("topv", (String) null, 0, context));
  }

  static void ok(int status) {
    assertThat(status).as(() -> flash_attn_error_message().getString()).isEqualTo(FLASH_ATTN_OK);
  }

  Pointer take(long bytes) {
    Pointer memory = new Pointer();
    ok(flash_attn_malloc(context, bytes, memory));
    taken.add(memory);
    return memory;
  }

  Pointer put(int... values) {
    byte[] bytes = new byte[4 * values.length];
    for (int i = 0; i < values.length; i++) {
      write(bytes, 4 * i, values[i], 4);
    }
    return put(bytes);
  }

  /** Values as elements of a dtype. */
  Pointer put(float[] values, int dtype) {
    int size = Elements.size(dtype);
    byte[] bytes = new byte[size * values.length];
    for (int i = 0; i < values.length; i++) {
      write(bytes, size * i, Elements.bits(values[i], dtype), size);
    }
    return put(bytes);
  }

  float[] get(Pointer memory, int count, int dtype) {
    int size = Elements.size(dtype);
    byte[] bytes = new byte[size * count];
    try (BytePointer host = new BytePointer(Math.max(1, bytes.length))) {
      ok(flash_attn_download(context, null, host, memory, bytes.length));
      host.get(bytes);
    }
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      int bits = 0;
      for (int k = 0; k < size; k++) {
        bits |= (bytes[size * i + k] & 255) << 8 * k;
      }
      values[i] = Elements.value(bits, dtype);
    }
    return values;
  }

  private Pointer put(byte[] bytes) {
    Pointer memory = take(bytes.length);
    try (BytePointer host = new BytePointer(bytes)) {
      ok(flash_attn_upload(context, null, memory, host, bytes.length));
    }
    return memory;
  }

  private static void write(byte[] bytes, int at, int bits, int size) {
    for (int k = 0; k < size; k++) {
      bytes[at + k] = (byte) (bits >> 8 * k);
    }
  }

  @Override
  public void close() {
    taken.forEach(memory -> ok(flash_attn_free(context, memory)));
    flash_attn_close(context);
  }
}
