package io.topv.engine;

import io.topv.engine.prune.NoPruning;
import io.topv.engine.prune.PruningMethod;
import io.topv.engine.sample.SamplingParams;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * One question.
 *
 * @param prompt the user's text, or the whole prompt when {@code raw}
 * @param images in the order of their placeholders
 * @param raw no chat template is applied; {@code <image>} stands for an image
 * @param imageSide pixels of the side at which images are encoded; empty = the model's own
 */
public record Request(
    String prompt,
    List<ImageInput> images,
    boolean raw,
    PruningMethod pruning,
    SamplingParams sampling,
    OptionalInt imageSide) {

  public Request {
    images = List.copyOf(images);
  }

  /** A greedy answer of at most 256 tokens, nothing pruned. */
  public static Request of(String prompt, Path... images) {
    return new Request(
        prompt,
        Arrays.stream(images).map(ImageInput::of).toList(),
        false,
        new NoPruning(2),
        SamplingParams.greedy(256),
        OptionalInt.empty());
  }

  public Request withPruning(PruningMethod method) {
    return new Request(prompt, images, raw, method, sampling, imageSide);
  }

  public Request withSampling(SamplingParams params) {
    return new Request(prompt, images, raw, pruning, params, imageSide);
  }

  public Request withImageSide(int side) {
    return new Request(prompt, images, raw, pruning, sampling, OptionalInt.of(side));
  }
}
