package io.topv.runtime;

import java.util.Optional;

/**
 * Which device to open.
 *
 * @param backend {@code "cpu"} or {@code "cuda"}
 * @param device device ordinal, 0 for the CPU
 * @param threads size of the CPU's pool; 0 = one per core that this process may use
 * @param isa CPU: at most {@code avx2}, {@code avx512}, {@code avx512_bf16} or {@code amx}
 * @param attention GPU: the provider of the FlashAttention preset that computes attention, {@code
 *     "topv"} or {@code "torch"}; empty = the backend itself
 */
public record ContextOptions(
    String backend, int device, int threads, Optional<String> isa, Optional<String> attention) {

  public ContextOptions(String backend, int device, int threads, Optional<String> isa) {
    this(backend, device, threads, isa, Optional.empty());
  }

  public ContextOptions withThreads(int count) {
    return new ContextOptions(backend, device, count, isa, attention);
  }

  public ContextOptions withAttention(Optional<String> provider) {
    return new ContextOptions(backend, device, threads, isa, provider);
  }

  /** GPU {@code device}. */
  public static ContextOptions cuda(int device) {
    return new ContextOptions("cuda", device, 0, Optional.empty());
  }

  /** The CPU with every instruction set that it has. */
  public static ContextOptions cpu(int threads) {
    return new ContextOptions("cpu", 0, threads, Optional.empty());
  }
}
