package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.bytedeco.javacpp.LongPointer;

/**
 * A whole file mapped read-only into memory, of any size. Ranges are valid until {@link #close}.
 */
public final class MappedFile implements AutoCloseable {
  private final Path path;
  private MemoryRange memory;

  private MappedFile(Path path, MemoryRange memory) {
    this.path = path;
    this.memory = memory;
  }

  /**
   * Maps {@code path}.
   *
   * @throws NativeException IO_ERROR when the file is missing, unreadable or a directory
   */
  public static MappedFile open(Path path) {
    NativeLibrary.load();
    try (LongPointer bytes = new LongPointer(1)) {
      Address start = new Address(0); // receives *data
      int status = topv.topv_map_file(path.toString(), start, bytes);
      NativeLibrary.check(status, null);
      return new MappedFile(path, new MemoryRange(start.address(), bytes.get()));
    }
  }

  public Path path() {
    return path;
  }

  /** Address of the first byte; 0 for an empty file. */
  public long address() {
    return memory().address();
  }

  public long size() {
    return memory().bytes();
  }

  /** {@code length} bytes from {@code offset}. */
  public MemoryRange slice(long offset, long length) {
    return memory().slice(offset, length);
  }

  /** {@code length} bytes from {@code offset} as a little-endian view without a copy. */
  public ByteBuffer bytes(long offset, int length) {
    MemoryRange range = slice(offset, length);
    if (length == 0) {
      return ByteBuffer.allocate(0);
    }
    return new Address(range.address())
        .bytes(length)
        .asByteBuffer()
        .asReadOnlyBuffer()
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Gives back the memory that the bytes take. They stay readable: what is read again comes from
   * the file again.
   */
  public void release() {
    int status = topv.topv_release_file(new Address(address()), size());
    NativeLibrary.check(status, null);
  }

  private MemoryRange memory() {
    if (memory == null) {
      throw new IllegalStateException(path + " is closed");
    }
    return memory;
  }

  @Override
  public void close() {
    if (memory != null) {
      if (memory.bytes() > 0) {
        topv.topv_unmap_file(new Address(memory.address()), memory.bytes());
      }
      memory = null;
    }
  }
}
