package io.topv.cli;

import io.topv.engine.TopvException;
import io.topv.runtime.ContextOptions;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Options that say where a model runs. */
public final class DeviceMixin {
  private static final Pattern DEVICE = Pattern.compile("cpu|cuda(?::(\\d{1,3}))?");

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda[:N]",
      defaultValue = "cpu",
      description = "Where it runs; N is the GPU's number. Default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "CPU threads; 0 = one per core this process may use. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(
      names = "--isa",
      paramLabel = "LEVEL",
      description = "At most avx2, avx512, avx512_bf16 or amx. Default: the best of this CPU.")
  private String isa;

  @Option(
      names = "--attention",
      paramLabel = "PROVIDER",
      description =
          "GPU: who computes attention through the FlashAttention preset, topv or torch. Default:"
              + " the engine's own kernels.")
  private String attention;

  /** What was asked for. */
  public ContextOptions options() {
    if (threads < 0) {
      throw new TopvException("threads = " + threads + " is below 0");
    }
    Matcher matcher = DEVICE.matcher(device);
    if (!matcher.matches()) {
      throw new TopvException(
          "device = \"" + device + "\" is unknown; expected cpu, cuda or cuda:N");
    }
    if (device.equals("cpu")) {
      if (attention != null) {
        throw new TopvException("attention providers are of the GPU; device = cpu");
      }
      return new ContextOptions("cpu", 0, threads, Optional.ofNullable(isa));
    }
    if (threads != 0 || isa != null) {
      throw new TopvException("threads and isa are of the CPU; device = " + device);
    }
    String ordinal = matcher.group(1);
    return ContextOptions.cuda(ordinal == null ? 0 : Integer.parseInt(ordinal))
        .withAttention(Optional.ofNullable(attention));
  }
}
