package io.topv.runtime;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** A raw native address as a JavaCPP pointer. It owns nothing. Of the runtime's own use. */
public final class Address extends Pointer {
  public Address(long address) {
    super((Pointer) null);
    this.address = address;
  }

  /** The bytes at this address as a pointer that can be read in bulk. */
  BytePointer bytes(long count) {
    BytePointer pointer = new BytePointer(this);
    return pointer.capacity(count).limit(count);
  }
}
