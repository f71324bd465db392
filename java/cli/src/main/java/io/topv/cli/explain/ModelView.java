package io.topv.cli.explain;

import io.topv.engine.image.ImageProcessor;
import io.topv.engine.image.ImageProcessorConfig;
import io.topv.engine.image.Images;
import io.topv.engine.image.PixelValues;
import io.topv.engine.image.RgbImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The picture that a model sees, as people can see it. */
public final class ModelView {
  private ModelView() {}

  /** {@code file}, resized and cropped as the checkpoint asks, not normalized. */
  public static RgbImage of(Path file, Path modelDir) {
    ImageProcessorConfig config = ImageProcessorConfig.parse(modelDir);
    ImageProcessor samples =
        new ImageProcessor(
            new ImageProcessorConfig(
                config.padToSquare(),
                config.resizeTo(),
                config.filter(),
                config.crop(),
                Optional.empty(),
                config.mean(),
                List.of()));
    PixelValues values = samples.process(Images.decode(file));
    int plane = values.height() * values.width();
    byte[] pixels = new byte[3 * plane];
    for (int i = 0; i < plane; i++) {
      for (int c = 0; c < 3; c++) {
        pixels[3 * i + c] = (byte) Math.round(values.values()[c * plane + i]);
      }
    }
    return new RgbImage(values.width(), values.height(), pixels);
  }
}
