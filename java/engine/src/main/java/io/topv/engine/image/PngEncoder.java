package io.topv.engine.image;

import io.topv.engine.TopvException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/** 8-bit RGB PNG, every row filtered by its difference to the row above. */
public final class PngEncoder {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final byte UP = 2;

  private PngEncoder() {}

  /**
   * @throws TopvException when the file cannot be written
   */
  public static void write(Path file, RgbImage image) {
    try {
      Files.write(file, encode(image));
    } catch (IOException e) {
      throw new TopvException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  public static byte[] encode(RgbImage image) {
    ByteBuffer header = ByteBuffer.allocate(13).putInt(image.width()).putInt(image.height());
    header.put(new byte[] {8, 2, 0, 0, 0});
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(SIGNATURE);
    out.writeBytes(chunk("IHDR", header.array()));
    out.writeBytes(chunk("IDAT", deflate(image)));
    out.writeBytes(chunk("IEND", new byte[0]));
    return out.toByteArray();
  }

  private static byte[] deflate(RgbImage image) {
    byte[] pixels = image.pixels();
    int stride = 3 * image.width();
    byte[] row = new byte[1 + stride];
    row[0] = UP;
    Deflater deflater = new Deflater();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (DeflaterOutputStream zip = new DeflaterOutputStream(out, deflater)) {
      for (int at = 0; at < pixels.length; at += stride) {
        for (int i = 0; i < stride; i++) {
          row[1 + i] = (byte) (pixels[at + i] - (at == 0 ? 0 : pixels[at + i - stride]));
        }
        zip.write(row);
      }
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory failed", e);
    } finally {
      deflater.end();
    }
    return out.toByteArray();
  }

  private static byte[] chunk(String name, byte[] body) {
    ByteBuffer chunk = ByteBuffer.allocate(12 + body.length).putInt(body.length);
    chunk.put(name.getBytes(StandardCharsets.ISO_8859_1)).put(body);
    CRC32 crc = new CRC32();
    crc.update(chunk.array(), 4, 4 + body.length);
    return chunk.putInt((int) crc.getValue()).array();
  }
}
