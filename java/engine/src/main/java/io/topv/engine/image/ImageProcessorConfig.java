package io.topv.engine.image;

import io.topv.engine.TopvException;
import io.topv.engine.config.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a checkpoint does to its pictures: {@code preprocessor_config.json}, or the {@code
 * image_processor} part of {@code processor_config.json} where it has one. CLIPImageProcessor and
 * LlavaImageProcessor are understood, with the defaults of transformers; any other is refused.
 *
 * <p>{@code do_convert_rgb} is not asked for: {@link Images} gives RGB only.
 *
 * @param padToSquare first extend the shorter side with the mean colour (LlavaImageProcessor)
 * @param resizeTo size after resampling; empty when the image keeps its size
 * @param crop rows and columns cut from the centre, zero-padded when there are fewer; or empty
 * @param rescale factor on the 0..255 samples; empty when they stay as they are
 * @param mean per channel, subtracted; empty when nothing is normalized
 * @param std per channel, divided by; empty when nothing is normalized
 */
public record ImageProcessorConfig(
    boolean padToSquare,
    Optional<ResizeTo> resizeTo,
    ResampleFilter filter,
    Optional<ResizeTo.Exact> crop,
    Optional<Double> rescale,
    List<Double> mean,
    List<Double> std) {

  private static final int MAX_SIDE = 1 << 16;
  private static final List<Double> CLIP_MEAN = List.of(0.48145466, 0.4578275, 0.40821073);
  private static final List<Double> CLIP_STD = List.of(0.26862954, 0.26130258, 0.27577711);

  /** CLIP's preprocessing at one side length: what LLaVA-1.5 checkpoints ask for, with 336. */
  public static ImageProcessorConfig clip(int side) {
    return new ImageProcessorConfig(
        false,
        Optional.of(new ResizeTo.Shortest(side)),
        ResampleFilter.BICUBIC,
        Optional.of(new ResizeTo.Exact(side, side)),
        Optional.of(1 / 255.0),
        CLIP_MEAN,
        CLIP_STD);
  }

  /** The same processing, resized and cropped to another square. */
  public ImageProcessorConfig withSide(int side) {
    ResizeTo target =
        resizeTo.filter(ResizeTo.Exact.class::isInstance).isPresent()
            ? new ResizeTo.Exact(side, side)
            : new ResizeTo.Shortest(side);
    Optional<ResizeTo.Exact> square = crop.map(old -> new ResizeTo.Exact(side, side));
    return new ImageProcessorConfig(
        padToSquare, resizeTo.map(old -> target), filter, square, rescale, mean, std);
  }

  /**
   * @throws TopvException naming file, field and value
   */
  public static ImageProcessorConfig parse(Path modelDir) {
    Path nested = modelDir.resolve("processor_config.json");
    Path plain = modelDir.resolve("preprocessor_config.json");
    if (Files.exists(nested)) {
      Optional<JsonObject> json = JsonObject.read(nested).object("image_processor");
      if (json.isPresent()) {
        return parse(json.get());
      }
    }
    if (!Files.exists(plain)) {
      throw new TopvException(
          modelDir
              + ": no preprocessor_config.json, nor processor_config.json with image_processor");
    }
    return parse(JsonObject.read(plain));
  }

  static ImageProcessorConfig parse(JsonObject json) {
    boolean llava = isLlava(json);
    boolean resize = flag(json, "do_resize", true);
    Optional<ResizeTo> resizeTo = resize ? Optional.of(size(json)) : Optional.empty();
    Optional<ResizeTo.Exact> crop =
        flag(json, "do_center_crop", true)
            ? Optional.of(exact(json, "crop_size", new ResizeTo.Exact(224, 224)))
            : Optional.empty();
    boolean pad = flag(json, "do_pad", false);
    if (pad && !llava && (json.has("pad_size") || crop.isEmpty())) {
      throw json.refused("do_pad", "is supported for LlavaImageProcessor only");
    }
    boolean normalize = flag(json, "do_normalize", true);
    boolean rescale = flag(json, "do_rescale", true);
    double factor = json.number("rescale_factor", 1 / 255.0, -1e6, 1e6);
    List<Double> mean = normalize || pad ? channels(json, "image_mean", CLIP_MEAN) : List.of();
    List<Double> std = normalize ? channels(json, "image_std", CLIP_STD) : List.of();
    if (std.stream().anyMatch(s -> s.floatValue() == 0)) {
      throw json.refused("image_std", "would divide by zero");
    }
    if (pad && mean.stream().anyMatch(m -> !(m >= 0 && m <= 1))) {
      throw json.refused("image_mean", "is no colour to pad with; expected 0 to 1");
    }
    int filter = json.integer("resample", ResampleFilter.BICUBIC.ordinal(), 0, 5);
    return new ImageProcessorConfig(
        pad && llava,
        resizeTo,
        ResampleFilter.values()[filter],
        crop,
        rescale ? Optional.of(factor) : Optional.empty(),
        mean,
        std);
  }

  private static boolean isLlava(JsonObject json) {
    String key =
        json.has("image_processor_type") ? "image_processor_type" : "feature_extractor_type";
    String type = json.text(key).orElse("CLIPImageProcessor").replaceFirst("(Fast|Pil)$", "");
    return switch (type) {
      case "LlavaImageProcessor" -> true;
      case "CLIPImageProcessor", "CLIPFeatureExtractor" -> false;
      default -> throw json.expected(key, "CLIPImageProcessor or LlavaImageProcessor");
    };
  }

  /** A member that is null means false: transformers keeps the null and asks for its truth. */
  private static boolean flag(JsonObject json, String name, boolean fallback) {
    return json.bool(name, fallback && !json.mentions(name));
  }

  private static ResizeTo size(JsonObject json) {
    if (!json.isObject("size")) {
      List<Integer> sides = json.integers("size", 1, MAX_SIDE);
      return switch (sides.size()) {
        case 0 -> new ResizeTo.Shortest(224);
        case 1 -> new ResizeTo.Shortest(sides.get(0));
        case 2 -> new ResizeTo.Exact(sides.get(0), sides.get(1));
        default -> throw json.expected("size", "one or two integers");
      };
    }
    JsonObject size = json.object("size").orElseThrow();
    if (size.has("shortest_edge")) {
      int shortest = side(size, "shortest_edge");
      return size.has("longest_edge")
          ? new ResizeTo.Bounded(shortest, side(size, "longest_edge"))
          : new ResizeTo.Shortest(shortest);
    }
    if (size.has("height") && size.has("width")) {
      return new ResizeTo.Exact(side(size, "height"), side(size, "width"));
    }
    throw json.expected("size", "shortest_edge, or height and width");
  }

  private static ResizeTo.Exact exact(JsonObject json, String name, ResizeTo.Exact fallback) {
    if (!json.isObject(name)) {
      List<Integer> sides = json.integers(name, 1, MAX_SIDE);
      return switch (sides.size()) {
        case 0 -> fallback;
        case 1 -> new ResizeTo.Exact(sides.get(0), sides.get(0));
        case 2 -> new ResizeTo.Exact(sides.get(0), sides.get(1));
        default -> throw json.expected(name, "one or two integers");
      };
    }
    JsonObject size = json.object(name).orElseThrow();
    if (!size.has("height") || !size.has("width")) {
      throw json.expected(name, "height and width");
    }
    return new ResizeTo.Exact(side(size, "height"), side(size, "width"));
  }

  private static int side(JsonObject size, String name) {
    return size.integer(name, 1, MAX_SIDE).orElseThrow();
  }

  private static List<Double> channels(JsonObject json, String name, List<Double> fallback) {
    List<Double> read = json.numbers(name);
    return switch (read.size()) {
      case 0 -> {
        if (json.mentions(name)) {
          throw json.expected(name, "3 numbers");
        }
        yield fallback;
      }
      case 1 -> List.of(read.get(0), read.get(0), read.get(0));
      case 3 -> read;
      default -> throw json.expected(name, "3 numbers");
    };
  }
}
