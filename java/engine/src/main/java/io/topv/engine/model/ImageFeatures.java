package io.topv.engine.model;

import io.topv.runtime.DeviceBuffer;
import io.topv.runtime.Tensor;

/**
 * The visual tokens of one image as the decoder takes them.
 *
 * @param width tokens per row of the grid
 * @param height rows of the grid
 */
public record ImageFeatures(DeviceBuffer buffer, Tensor tokens, int width, int height)
    implements AutoCloseable {

  /** N. */
  public int count() {
    return (int) tokens.rows();
  }

  @Override
  public void close() {
    buffer.close();
  }
}
