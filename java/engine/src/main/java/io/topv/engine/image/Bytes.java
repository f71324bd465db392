package io.topv.engine.image;

import java.util.Arrays;

/** Bounds-checked reads of unsigned integers: a short file is a verdict, not an index error. */
final class Bytes {
  private Bytes() {}

  static int u8(byte[] data, int at) throws MalformedImage {
    need(data, at, 1);
    return data[at] & 0xff;
  }

  static int u16be(byte[] data, int at) throws MalformedImage {
    need(data, at, 2);
    return (data[at] & 0xff) << 8 | data[at + 1] & 0xff;
  }

  static int u16le(byte[] data, int at) throws MalformedImage {
    need(data, at, 2);
    return (data[at + 1] & 0xff) << 8 | data[at] & 0xff;
  }

  static long u32be(byte[] data, int at) throws MalformedImage {
    return (long) u16be(data, at) << 16 | u16be(data, at + 2);
  }

  static long u32le(byte[] data, int at) throws MalformedImage {
    return (long) u16le(data, at + 2) << 16 | u16le(data, at);
  }

  static int u24le(byte[] data, int at) throws MalformedImage {
    return u8(data, at + 2) << 16 | u16le(data, at);
  }

  static byte[] slice(byte[] data, int from, long length) throws MalformedImage {
    need(data, from, length);
    return Arrays.copyOfRange(data, from, from + (int) length);
  }

  static boolean startsWith(byte[] data, int at, String prefix) {
    if (at < 0 || data.length - at < prefix.length()) {
      return false;
    }
    for (int i = 0; i < prefix.length(); i++) {
      if ((data[at + i] & 0xff) != prefix.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  static void need(byte[] data, int at, long count) throws MalformedImage {
    if (at < 0 || count < 0 || at + count > data.length) {
      throw new MalformedImage(
          "is truncated: byte " + (at + count) + " is needed, the file has " + data.length);
    }
  }
}
