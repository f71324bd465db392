package io.topv.cli.bench;

import io.topv.cli.bench.Kernel.Prepared;
import io.topv.runtime.Activation;
import io.topv.runtime.Tensor;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;

/** Routines that read and write rows: bound by memory. */
final class RowKernels {
  private static final float EPS = 1e-5f;
  private static final int CHECKED_ROWS = 8;

  private RowKernels() {}

  static List<Kernel> all() {
    List<String> small = List.of("rows=5 cols=96");
    List<String> large = List.of("rows=1 cols=4096", "rows=671 cols=4096");
    List<String> smallHeads = List.of("tokens=7 heads=4 dim=32");
    List<String> largeHeads = List.of("tokens=671 heads=32 dim=128");
    return List.of(
        new Kernel("rms_norm", small, large, RowKernels::rmsNorm),
        new Kernel("layer_norm", small, List.of("rows=577 cols=1024"), RowKernels::layerNorm),
        new Kernel("silu_mul", small, List.of("rows=671 cols=11008"), RowKernels::siluMul),
        new Kernel("gelu", small, List.of("rows=576 cols=4096"), RowKernels::gelu),
        new Kernel("rope", smallHeads, largeHeads, RowKernels::rope),
        new Kernel("embed", small, List.of("rows=671 cols=4096"), RowKernels::embed),
        new Kernel(
            "rows_gather",
            small,
            List.of("rows=287 cols=4096", "rows=9184 cols=4096"),
            RowKernels::rowsGather),
        new Kernel("kv_append", smallHeads, largeHeads, RowKernels::kvAppend),
        new Kernel(
            "kv_gather",
            List.of("tokens=7 heads=4 dim=32 layers=2"),
            List.of(
                "tokens=287 heads=32 dim=128 layers=2", "tokens=9184 heads=32 dim=128 layers=2"),
            RowKernels::kvGather));
  }

  /** Some rows of a result against what each element should be. */
  private static double compare(BenchMemory memory, Tensor result, Expected expected) {
    Agreement agreement = new Agreement();
    for (int i = 0; i < CHECKED_ROWS; i++) {
      int row = memory.below((int) result.rows());
      agreement.add(result.rows(row, 1), expected.row(row));
    }
    return agreement.error();
  }

  @FunctionalInterface
  private interface Expected {
    IntToDoubleFunction row(int row);
  }

  private static double sum(float[] values, IntToDoubleFunction term) {
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += term.applyAsDouble(i);
    }
    return sum;
  }

  private static Prepared rmsNorm(BenchMemory memory, KernelCase of) {
    int rows = of.size("rows");
    int cols = of.size("cols");
    Tensor x = memory.random(of.dtype(), rows, cols, 2);
    Tensor y = memory.empty(of.dtype(), rows, cols);
    float[] weights = memory.values(cols, 1);
    Tensor weight = memory.of(weights);
    return new Prepared(
        () -> memory.ops().rmsNorm(x, weight, EPS, y),
        () ->
            compare(
                memory,
                y,
                row -> {
                  float[] in = x.rows(row, 1).toFloats();
                  double mean = sum(in, c -> (double) in[c] * in[c]) / cols;
                  return c -> in[c] / Math.sqrt(mean + EPS) * weights[c];
                }),
        4.0 * rows * cols,
        2.0 * rows * cols * of.dtype().bytes());
  }

  private static Prepared layerNorm(BenchMemory memory, KernelCase of) {
    int rows = of.size("rows");
    int cols = of.size("cols");
    Tensor x = memory.random(of.dtype(), rows, cols, 2);
    Tensor y = memory.empty(of.dtype(), rows, cols);
    float[] weights = memory.values(cols, 1);
    float[] biases = memory.values(cols, 1);
    Tensor weight = memory.of(weights);
    Tensor bias = memory.of(biases);
    return new Prepared(
        () -> memory.ops().layerNorm(x, weight, bias, EPS, y),
        () ->
            compare(
                memory,
                y,
                row -> {
                  float[] in = x.rows(row, 1).toFloats();
                  double mean = sum(in, c -> in[c]) / cols;
                  double variance = sum(in, c -> Math.pow(in[c] - mean, 2)) / cols;
                  return c -> (in[c] - mean) / Math.sqrt(variance + EPS) * weights[c] + biases[c];
                }),
        7.0 * rows * cols,
        2.0 * rows * cols * of.dtype().bytes());
  }

  private static Prepared siluMul(BenchMemory memory, KernelCase of) {
    int rows = of.size("rows");
    int cols = of.size("cols");
    Tensor x = memory.random(of.dtype(), rows, 2 * cols, 4);
    Tensor y = memory.empty(of.dtype(), rows, cols);
    return new Prepared(
        () -> memory.ops().siluMul(x, y),
        () ->
            compare(
                memory,
                y,
                row -> {
                  float[] in = x.rows(row, 1).toFloats();
                  return c -> in[c] / (1 + Math.exp(-in[c])) * in[cols + c];
                }),
        5.0 * rows * cols,
        3.0 * rows * cols * of.dtype().bytes());
  }

  /** QuickGELU, as CLIP has it. */
  private static Prepared gelu(BenchMemory memory, KernelCase of) {
    int rows = of.size("rows");
    int cols = of.size("cols");
    Tensor x = memory.random(of.dtype(), rows, cols, 4);
    Tensor y = memory.empty(of.dtype(), rows, cols);
    return new Prepared(
        () -> memory.ops().gelu(x, Activation.QUICK_GELU, y),
        () ->
            compare(
                memory,
                y,
                row -> {
                  float[] in = x.rows(row, 1).toFloats();
                  return c -> in[c] / (1 + Math.exp(-1.702 * in[c]));
                }),
        4.0 * rows * cols,
        2.0 * rows * cols * of.dtype().bytes());
  }

  private static Prepared rope(BenchMemory memory, KernelCase of) {
    int tokens = of.size("tokens");
    int heads = of.size("heads");
    int dim = of.size("dim");
    Tensor start = memory.random(of.dtype(), tokens, heads * dim, 1);
    Tensor x = memory.empty(of.dtype(), tokens, heads * dim);
    float[] table = new float[tokens * dim];
    int[] positions = new int[tokens];
    for (int p = 0; p < tokens; p++) {
      positions[p] = p;
      for (int i = 0; i < dim / 2; i++) {
        double angle = p * Math.pow(10000, -2.0 * i / dim);
        table[p * dim + i] = (float) Math.cos(angle);
        table[p * dim + dim / 2 + i] = (float) Math.sin(angle);
      }
    }
    Tensor cosSin = memory.of(table).reshape(tokens, dim);
    Tensor index = memory.of(positions);
    return new Prepared(
        () -> memory.ops().rope(x, cosSin, index, heads),
        () -> {
          start.copyTo(x); // it works in place
          memory.ops().rope(x, cosSin, index, heads);
          return compare(
              memory,
              x,
              row -> {
                float[] in = start.rows(row, 1).toFloats();
                return c -> {
                  int i = c % dim % (dim / 2);
                  boolean lower = c % dim < dim / 2;
                  double cos = table[row * dim + i];
                  double sin = table[row * dim + dim / 2 + i];
                  return lower
                      ? in[c] * cos - in[c + dim / 2] * sin
                      : in[c] * cos + in[c - dim / 2] * sin;
                };
              });
        },
        3.0 * tokens * heads * dim,
        2.0 * tokens * heads * dim * of.dtype().bytes());
  }

  private static Prepared embed(BenchMemory memory, KernelCase of) {
    return lookUp(memory, of, 4, memory.ops()::embed);
  }

  private static Prepared rowsGather(BenchMemory memory, KernelCase of) {
    return lookUp(memory, of, 2, (index, source, y) -> memory.ops().rowsGather(source, index, y));
  }

  @FunctionalInterface
  private interface LookUp {
    void run(Tensor index, Tensor source, Tensor y);
  }

  /** Rows drawn from {@code times} as many. */
  private static Prepared lookUp(BenchMemory memory, KernelCase of, int times, LookUp look) {
    int rows = of.size("rows");
    int cols = of.size("cols");
    Tensor source = memory.random(of.dtype(), times * rows, cols, 1);
    Tensor y = memory.empty(of.dtype(), rows, cols);
    int[] from = indices(memory, rows, times * rows);
    Tensor index = memory.of(from);
    return new Prepared(
        () -> look.run(index, source, y),
        () -> compare(memory, y, row -> element(source.rows(from[row], 1))),
        0,
        2.0 * rows * cols * of.dtype().bytes());
  }

  private static Prepared kvAppend(BenchMemory memory, KernelCase of) {
    int tokens = of.size("tokens");
    int heads = of.size("heads");
    int cols = heads * of.size("dim");
    Tensor k = memory.random(of.dtype(), tokens, cols, 1);
    Tensor v = memory.random(of.dtype(), tokens, cols, 1);
    Tensor kCache = memory.empty(of.dtype(), 2L * tokens, cols);
    Tensor vCache = memory.empty(of.dtype(), 2L * tokens, cols);
    int[] slots = new int[tokens];
    for (int t = 0; t < tokens; t++) {
      slots[t] = 2 * (tokens - 1 - t);
    }
    Tensor to = memory.of(slots);
    return new Prepared(
        () -> memory.ops().kvAppend(k, v, kCache, vCache, to, heads),
        () -> {
          double error = 0;
          for (int t = 0; t < tokens; t += 1 + tokens / CHECKED_ROWS) {
            error = Math.max(error, difference(kCache, slots[t], k, t));
            error = Math.max(error, difference(vCache, slots[t], v, t));
          }
          return error;
        },
        0,
        4.0 * tokens * cols * of.dtype().bytes());
  }

  /** The second half of the tokens' slots to the first, in all layers. */
  private static Prepared kvGather(BenchMemory memory, KernelCase of) {
    int tokens = of.size("tokens");
    int heads = of.size("heads");
    int cols = heads * of.size("dim");
    List<Tensor> caches =
        Stream.generate(() -> memory.random(of.dtype(), 2 * tokens, cols, 1))
            .limit(2L * of.size("layers"))
            .toList();
    List<Tensor> k = caches.subList(0, caches.size() / 2);
    List<Tensor> v = caches.subList(caches.size() / 2, caches.size());
    int[] from = new int[tokens];
    int[] to = new int[tokens];
    for (int t = 0; t < tokens; t++) {
      from[t] = tokens + t;
      to[t] = t;
    }
    Tensor src = memory.of(from);
    Tensor dst = memory.of(to);
    return new Prepared(
        () -> memory.ops().kvGather(k, v, src, dst, heads),
        () -> {
          double error = 0;
          for (Tensor cache : caches) {
            for (int t = 0; t < tokens; t += 1 + tokens / CHECKED_ROWS) {
              error = Math.max(error, difference(cache, to[t], cache, from[t]));
            }
          }
          return error;
        },
        0,
        2.0 * caches.size() * tokens * cols * of.dtype().bytes());
  }

  private static int[] indices(BenchMemory memory, int count, int bound) {
    int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      values[i] = memory.below(bound);
    }
    return values;
  }

  private static IntToDoubleFunction element(Tensor row) {
    float[] values = row.toFloats();
    return c -> values[c];
  }

  private static double difference(Tensor a, int rowA, Tensor b, int rowB) {
    return Agreement.error(a.rows(rowA, 1), element(b.rows(rowB, 1)));
  }
}
