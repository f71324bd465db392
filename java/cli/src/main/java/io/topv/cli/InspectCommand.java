package io.topv.cli;

import io.topv.engine.TopvException;
import io.topv.engine.image.ImageInfo;
import io.topv.engine.image.ImageProcessor;
import io.topv.engine.image.ImageProcessorConfig;
import io.topv.engine.image.Images;
import io.topv.engine.image.NpyWriter;
import io.topv.engine.image.PixelValues;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code topv inspect}: what is in a model, or what a model sees of an image. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Shows a model's architecture, sizes and memory, or an image as the model sees it.",
    footer = {
      "",
      "Examples:",
      "  topv inspect --model /models/llava-1.5-7b-hf",
      "  topv inspect --image photo.jpg --pixels photo.npy"
    })
final class InspectCommand implements Callable<Integer> {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "DIR",
      description =
          "Model in Hugging Face format. With --image the default is the model that ships.")
  private Path model;

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "Shows format, size and orientation.")
  private Path image;

  @Option(
      names = "--pixels",
      paramLabel = "OUT.npy",
      description = "With --image: writes the float32 [3, H, W] tensor that the model sees.")
  private Path pixels;

  @Mixin private Verbose verbose;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (model == null && image == null) {
      throw new ParameterException(spec.commandLine(), "give --model DIR, --image FILE, or both");
    }
    if (pixels != null && image == null) {
      throw new ParameterException(spec.commandLine(), "--pixels needs --image FILE");
    }
    if (image == null) {
      System.out.print(ModelReport.of(model));
      return 0;
    }
    Path dir = model != null ? model : Home.path("models/topv-demo");
    ImageInfo info = Images.probe(image);
    line("file", image + ", " + info.bytes() + " bytes");
    line("format", info.format() + ", " + info.mode());
    line("size", info.width() + " x " + info.height() + " pixels");
    line("orientation", info.orientation() + (info.orientation() > 1 ? " (EXIF; applied)" : ""));
    PixelValues seen =
        new ImageProcessor(ImageProcessorConfig.parse(dir)).process(Images.decode(image));
    line("model sees", "[3, " + seen.height() + ", " + seen.width() + "] float32 (" + dir + ")");
    if (pixels != null) {
      if (!pixels.toString().endsWith(".npy")) {
        throw new TopvException("pixels = " + pixels + " must end in .npy");
      }
      NpyWriter.write(pixels, seen.values(), 3, seen.height(), seen.width());
      line("written", pixels.toString());
    }
    return 0;
  }

  private static void line(String what, String text) {
    System.out.printf("%-12s %s%n", what, text);
  }
}
