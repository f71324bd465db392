package io.topv.runtime;

/**
 * A range of native host memory that somebody else owns, such as a tensor in a mapped file.
 *
 * @param address first byte
 * @param bytes length
 */
public record MemoryRange(long address, long bytes) {
  public MemoryRange {
    if (bytes < 0) {
      throw new IllegalArgumentException("bytes = " + bytes + " is negative");
    }
  }

  /** The part that begins at {@code offset} and is {@code length} bytes long. */
  public MemoryRange slice(long offset, long length) {
    if (offset < 0 || length < 0 || offset > bytes - length) {
      throw new IndexOutOfBoundsException(
          "slice [" + offset + ", +" + length + ") of " + bytes + " bytes");
    }
    return new MemoryRange(address + offset, length);
  }

  /** A copy of all bytes; at most 2 GiB. */
  public byte[] toByteArray() {
    byte[] copy = new byte[Math.toIntExact(bytes)];
    if (bytes > 0) {
      new Address(address).bytes(bytes).get(copy);
    }
    return copy;
  }
}
