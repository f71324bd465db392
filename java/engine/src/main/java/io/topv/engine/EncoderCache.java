package io.topv.engine;

import io.topv.engine.model.ImageFeatures;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Visual tokens of images seen lately, by content: many questions about one image encode it once.
 */
final class EncoderCache implements AutoCloseable {
  private final long maxBytes;
  private final Map<String, ImageFeatures> byKey = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  EncoderCache(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  static String key(ImageInput image, int side) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(image.data());
      return side + ":" + HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  Optional<ImageFeatures> get(String key) {
    return Optional.ofNullable(byKey.get(key));
  }

  void put(String key, ImageFeatures features) {
    ImageFeatures old = byKey.put(key, features);
    bytes += features.buffer().bytes();
    if (old != null) {
      bytes -= old.buffer().bytes();
      old.close();
    }
  }

  /** Drops the longest unused features; called when no step reads any. */
  void evict() {
    Iterator<ImageFeatures> oldest = byKey.values().iterator();
    while (bytes > maxBytes && oldest.hasNext()) {
      ImageFeatures features = oldest.next();
      bytes -= features.buffer().bytes();
      oldest.remove();
      features.close();
    }
  }

  @Override
  public void close() {
    byKey.values().forEach(ImageFeatures::close);
    byKey.clear();
  }
}
