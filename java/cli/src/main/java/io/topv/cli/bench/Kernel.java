package io.topv.cli.bench;

import io.topv.engine.TopvException;
import io.topv.runtime.DType;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A routine that can be measured.
 *
 * @param dtypes that it exists for
 * @param small shapes for a quick look
 * @param large shapes of LLaVA-1.5-7B
 */
record Kernel(
    String name, Set<DType> dtypes, List<String> small, List<String> large, Builder builder) {

  Kernel(String name, List<String> small, List<String> large, Builder builder) {
    this(name, Set.of(DType.F32, DType.BF16), small, large, builder);
  }

  static final List<Kernel> ALL =
      Stream.of(RowKernels.all(), MatrixKernels.all(), TopvKernels.all())
          .flatMap(List::stream)
          .toList();

  static Kernel named(String name) {
    return ALL.stream()
        .filter(kernel -> kernel.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new TopvException(
                    "routine = "
                        + name
                        + " is unknown; expected one of "
                        + ALL.stream().map(Kernel::name).collect(Collectors.joining(", "))));
  }

  /** Makes inputs in memory and says how to run the routine on them. */
  @FunctionalInterface
  interface Builder {
    Prepared prepare(BenchMemory memory, KernelCase of);
  }

  /**
   * @param run queues the routine once; may be repeated
   * @param error after a run: how far the result is from a plain one in double precision, see
   *     {@link Agreement}
   * @param flops of one run
   * @param bytes that one run must read and write
   */
  record Prepared(Runnable run, DoubleSupplier error, double flops, double bytes) {}

  /** Its shapes, for each of its dtypes among these; what exists for one dtype alone has that. */
  List<KernelCase> cases(boolean quick, List<DType> wanted) {
    List<DType> of =
        dtypes.size() == 1
            ? List.copyOf(dtypes)
            : wanted.stream().filter(dtypes::contains).toList();
    return (quick ? small : large)
        .stream()
            .map(shape -> KernelCase.parse(name + " " + shape))
            .flatMap(one -> of.stream().map(one::with))
            .toList();
  }
}
