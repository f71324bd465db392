package io.topv.cli.bench;

import io.topv.cli.bench.Kernel.Prepared;
import io.topv.runtime.Attention;
import io.topv.runtime.Epilogue;
import io.topv.runtime.Tensor;
import io.topv.runtime.Weight;
import java.util.List;

/** Routines that multiply matrices: gemm and attention. */
final class MatrixKernels {
  private static final int CHECKED = 64;
  private static final int PAGE = 16;

  private MatrixKernels() {}

  static List<Kernel> all() {
    return List.of(
        new Kernel(
            "gemm",
            List.of("m=1 n=96 k=64", "m=33 n=96 k=64"),
            List.of("m=1 n=4096 k=4096", "m=671 n=4096 k=4096", "m=671 n=11008 k=4096"),
            MatrixKernels::gemm),
        new Kernel(
            "attention_prefill",
            List.of("batch=2 tokens=17 heads=4 kv_heads=2 dim=32"),
            List.of(
                "batch=1 tokens=512 heads=32 kv_heads=32 dim=128",
                "batch=1 tokens=671 heads=32 kv_heads=32 dim=128",
                "batch=1 tokens=1024 heads=32 kv_heads=32 dim=128",
                "batch=1 tokens=2048 heads=32 kv_heads=32 dim=128",
                "batch=1 tokens=4096 heads=32 kv_heads=32 dim=128",
                "batch=1 tokens=4096 heads=32 kv_heads=8 dim=128"),
            MatrixKernels::prefill),
        new Kernel(
            "attention_decode",
            List.of("batch=3 tokens=37 heads=4 kv_heads=2 dim=32"),
            List.of(
                "batch=1 tokens=671 heads=32 kv_heads=32 dim=128",
                "batch=32 tokens=671 heads=32 kv_heads=32 dim=128",
                "batch=32 tokens=2048 heads=32 kv_heads=8 dim=128"),
            MatrixKernels::decode));
  }

  private static Prepared gemm(BenchMemory memory, KernelCase of) {
    int m = of.size("m");
    int n = of.size("n");
    int k = of.size("k");
    Tensor rows = memory.random(of.dtype(), n, k, 1);
    Weight w = memory.weight(rows);
    Tensor a = memory.random(of.dtype(), m, k, 1);
    Tensor c = memory.empty(of.dtype(), m, n);
    return new Prepared(
        () -> memory.ops().gemm(a, w, c, Epilogue.NONE),
        () -> {
          Agreement agreement = new Agreement();
          for (int i = 0; i < CHECKED; i++) {
            int row = memory.below(m);
            int col = memory.below(n);
            float[] x = a.rows(row, 1).toFloats();
            float[] y = rows.rows(col, 1).toFloats();
            double dot = 0;
            for (int j = 0; j < k; j++) {
              dot += (double) x[j] * y[j];
            }
            agreement.add(c.rows(row, 1).cols(col, 1).toFloats()[0], dot);
          }
          return agreement.error();
        },
        2.0 * m * n * k,
        ((double) m * k + (double) n * k + (double) m * n) * of.dtype().bytes());
  }

  /** {@code batch} sequences of {@code tokens} each, causal. */
  private static Prepared prefill(BenchMemory memory, KernelCase of) {
    int batch = of.size("batch");
    int tokens = of.size("tokens");
    Attention shape = Attention.of(of.size("heads"), of.size("kv_heads"), of.size("dim"), true);
    int total = Math.multiplyExact(batch, tokens);
    int qCols = shape.qHeads() * shape.headDim();
    int kvCols = shape.kvHeads() * shape.headDim();
    Tensor q = memory.random(of.dtype(), total, qCols, 1);
    Tensor k = memory.random(of.dtype(), total, kvCols, 1);
    Tensor v = memory.random(of.dtype(), total, kvCols, 1);
    Tensor out = memory.empty(of.dtype(), total, qCols);
    int[] starts = new int[batch + 1];
    for (int b = 0; b <= batch; b++) {
      starts[b] = b * tokens;
    }
    Tensor cu = memory.of(starts);
    Attention.Queries queries = new Attention.Queries(q, cu, batch, tokens, tokens);
    Attention.Keys keys = new Attention.Contiguous(k, v, cu);
    double pairs = batch * (tokens * (tokens + 1.0) / 2);
    return new Prepared(
        () -> memory.ops().attentionPrefill(shape, queries, keys, out),
        () -> {
          double error = 0;
          Cache cache = new Cache(k.toFloats(), v.toFloats());
          for (int i = 0; i < CHECKED; i++) {
            int row = memory.below(total);
            int first = row / tokens * tokens;
            Row rowOf = j -> first + j;
            error =
                Math.max(error, error(memory, shape, q, out, row, rowOf, row - first + 1, cache));
          }
          return error;
        },
        4 * pairs * qCols,
        (2.0 * total * qCols + 2.0 * total * kvCols) * of.dtype().bytes());
  }

  /** One query each for {@code batch} sequences of {@code tokens} tokens in pages. */
  private static Prepared decode(BenchMemory memory, KernelCase of) {
    int batch = of.size("batch");
    int tokens = of.size("tokens");
    Attention shape = Attention.of(of.size("heads"), of.size("kv_heads"), of.size("dim"), true);
    int qCols = shape.qHeads() * shape.headDim();
    int kvCols = shape.kvHeads() * shape.headDim();
    int pages = (tokens + PAGE - 1) / PAGE;
    Tensor q = memory.random(of.dtype(), batch, qCols, 1);
    Tensor out = memory.empty(of.dtype(), batch, qCols);
    Tensor k = memory.random(of.dtype(), batch * pages * PAGE, kvCols, 1);
    Tensor v = memory.random(of.dtype(), batch * pages * PAGE, kvCols, 1);
    int[] starts = new int[batch + 1];
    int[] lengths = new int[batch];
    int[] table = new int[batch * pages];
    for (int b = 0; b < batch; b++) {
      starts[b + 1] = b + 1;
      lengths[b] = tokens;
    }
    for (int p = 0; p < table.length; p++) {
      table[p] = table.length - 1 - p;
    }
    Attention.Queries queries = new Attention.Queries(q, memory.of(starts), batch, 1, tokens);
    Attention.Keys keys =
        new Attention.Paged(k, v, PAGE, memory.of(table).reshape(batch, pages), memory.of(lengths));
    return new Prepared(
        () -> memory.ops().attentionDecode(shape, queries, keys, out),
        () -> {
          double error = 0;
          Cache cache = new Cache(k.toFloats(), v.toFloats());
          for (int i = 0; i < CHECKED; i++) {
            int b = memory.below(batch);
            Row rowOf = j -> table[b * pages + j / PAGE] * PAGE + j % PAGE;
            error = Math.max(error, error(memory, shape, q, out, b, rowOf, tokens, cache));
          }
          return error;
        },
        4.0 * batch * tokens * qCols,
        (2.0 * batch * qCols + 2.0 * batch * tokens * kvCols) * of.dtype().bytes());
  }

  @FunctionalInterface
  private interface Row {
    int of(int key);
  }

  /** Keys and values on the host, rows of all heads. */
  private record Cache(float[] keys, float[] values) {}

  /** Of one head of one query, drawn at random; by itself, since queries of few keys give more. */
  private static double error(
      BenchMemory memory,
      Attention shape,
      Tensor q,
      Tensor out,
      int query,
      Row row,
      int keys,
      Cache cache) {
    int dim = shape.headDim();
    int head = memory.below(shape.qHeads());
    int width = shape.kvHeads() * dim;
    int kvHead = head / (shape.qHeads() / shape.kvHeads());
    float[] x = q.rows(query, 1).cols((long) head * dim, dim).toFloats();
    double[] scores = new double[keys];
    double most = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < keys; j++) {
      int at = row.of(j) * width + kvHead * dim;
      for (int c = 0; c < dim; c++) {
        scores[j] += (double) x[c] * cache.keys()[at + c] * shape.scale();
      }
      most = Math.max(most, scores[j]);
    }
    double[] sum = new double[dim];
    double weights = 0;
    for (int j = 0; j < keys; j++) {
      double weight = Math.exp(scores[j] - most);
      weights += weight;
      int at = row.of(j) * width + kvHead * dim;
      for (int c = 0; c < dim; c++) {
        sum[c] += weight * cache.values()[at + c];
      }
    }
    double total = weights;
    return Agreement.error(out.rows(query, 1).cols((long) head * dim, dim), c -> sum[c] / total);
  }
}
