package io.topv.cli.bench;

import io.topv.cli.bench.Kernel.Prepared;
import io.topv.runtime.DType;
import io.topv.runtime.Sinkhorn;
import io.topv.runtime.Solver;
import io.topv.runtime.Tensor;
import io.topv.runtime.TransportCost;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** The routines of TopV, and its whole selection: cost, optimization, choice of tokens. */
final class TopvKernels {
  private static final TransportCost COST = new TransportCost(1, 1, 0.01f, 2);
  private static final float EPSILON = 0.1f;
  private static final int ITERATIONS = 20;
  private static final int RECOVER_EVERY = 4;

  private TopvKernels() {}

  static List<Kernel> all() {
    List<String> small = List.of("images=2 side=5 cols=64");
    List<String> large = List.of("images=1 side=24 cols=4096", "images=32 side=24 cols=4096");
    List<String> smallSquare = List.of("images=2 side=5");
    List<String> largeSquare = List.of("images=1 side=24", "images=32 side=24");
    return List.of(
        new Kernel("transport_cost", small, large, TopvKernels::transportCost),
        new Kernel("sinkhorn", Set.of(DType.F32), smallSquare, largeSquare, TopvKernels::sinkhorn),
        new Kernel(
            "token_select", Set.of(DType.F32), smallSquare, largeSquare, TopvKernels::tokenSelect),
        new Kernel("selection", small, large, TopvKernels::selection));
  }

  /** Tensors of a batch of square images. */
  private static final class Images {
    final int count;
    final int side;
    final int n;
    final int[][] grids;
    final int[] tokens;
    final int[] top;
    final Tensor cost;
    final Tensor sourceNorm;
    final Tensor targetNorm;
    final Tensor importance;
    final Tensor kept;

    Images(BenchMemory memory, KernelCase of) {
      count = of.size("images");
      side = of.size("side");
      n = side * side;
      grids = new int[count][];
      Arrays.setAll(grids, m -> new int[] {side, side});
      tokens = filled(n);
      top = filled(n / 3);
      int keptEach = top[0] + (n - top[0] + RECOVER_EVERY - 1) / RECOVER_EVERY;
      cost = memory.empty(DType.F32, 1, (long) count * n * n);
      sourceNorm = memory.empty(DType.F32, 1, (long) count * n);
      targetNorm = memory.empty(DType.F32, 1, (long) count * n);
      importance = memory.empty(DType.F32, 1, (long) count * n);
      kept = memory.empty(DType.I32, 1, (long) count * keptEach);
    }

    private int[] filled(int value) {
      int[] values = new int[count];
      Arrays.fill(values, value);
      return values;
    }
  }

  /** Features of all images, and the row of each token: in order, as a prompt has them. */
  private record Features(Tensor source, Tensor target, Tensor index) {
    static Features random(BenchMemory memory, KernelCase of, Images images) {
      int rows = images.count * images.n;
      int cols = of.size("cols");
      return new Features(
          memory.random(of.dtype(), rows, cols, 1),
          memory.random(of.dtype(), rows, cols, 1),
          memory.of(IntStream.range(0, rows).toArray()));
    }
  }

  private static void cost(BenchMemory memory, Features f, Images i) {
    memory
        .ops()
        .transportCost(
            f.source, f.target, f.index, i.grids, COST, i.cost, i.sourceNorm, i.targetNorm);
  }

  private static void optimize(BenchMemory memory, Images i) {
    Sinkhorn settings = new Sinkhorn(Solver.UNBALANCED, ITERATIONS, EPSILON, 0.5f);
    memory
        .ops()
        .sinkhorn(
            i.cost,
            Optional.of(i.sourceNorm),
            Optional.of(i.targetNorm),
            i.tokens,
            settings,
            i.importance);
  }

  private static void choose(BenchMemory memory, Images i) {
    memory.ops().tokenSelect(i.importance, i.tokens, i.top, RECOVER_EVERY, i.kept);
  }

  private static Prepared transportCost(BenchMemory memory, KernelCase of) {
    Images images = new Images(memory, of);
    Features features = Features.random(memory, of, images);
    double n = images.n;
    double cols = features.source.cols();
    return new Prepared(
        () -> cost(memory, features, images),
        () -> {
          double[] expected = plainCost(features, images);
          return Agreement.error(images.cost.cols(0, expected.length), i -> expected[i]);
        },
        2 * images.count * n * n * cols,
        images.count * (2 * n * cols * of.dtype().bytes() + 4 * n * n));
  }

  private static Prepared sinkhorn(BenchMemory memory, KernelCase of) {
    Images images = randomCosts(memory, of);
    double n = images.n;
    return new Prepared(
        () -> optimize(memory, images),
        () -> {
          double[] expected =
              plainImportance(images, doubles(images.cost.cols(0, images.n * (long) images.n)));
          return Agreement.error(images.importance.cols(0, images.n), i -> expected[i]);
        },
        4.0 * images.count * ITERATIONS * n * n,
        images.count * (4 * n * n + 12 * n));
  }

  private static Prepared tokenSelect(BenchMemory memory, KernelCase of) {
    Images images = randomCosts(memory, of);
    optimize(memory, images);
    double n = images.n;
    return new Prepared(
        () -> choose(memory, images),
        () -> {
          double[] importance = doubles(images.importance.cols(0, images.n));
          return wrong(images, plainChoice(images, importance));
        },
        0,
        images.count * 4 * n + 4.0 * images.kept.cols());
  }

  private static Prepared selection(BenchMemory memory, KernelCase of) {
    Images images = new Images(memory, of);
    Features features = Features.random(memory, of, images);
    double n = images.n;
    double cols = features.source.cols();
    return new Prepared(
        () -> {
          cost(memory, features, images);
          optimize(memory, images);
          choose(memory, images);
        },
        () -> {
          double[] importance = plainImportance(images, plainCost(features, images));
          return wrong(images, plainChoice(images, importance));
        },
        images.count * (2 * n * n * cols + 4 * ITERATIONS * n * n),
        images.count * 2 * n * cols * of.dtype().bytes());
  }

  private static Images randomCosts(BenchMemory memory, KernelCase of) {
    Images images = new Images(memory, of);
    images.cost.put(memory.values(Math.toIntExact(images.cost.cols()), 1));
    float[] norms = memory.values(Math.toIntExact(images.sourceNorm.cols()), 0.5f);
    for (int i = 0; i < norms.length; i++) {
      norms[i] += 1;
    }
    images.sourceNorm.put(norms);
    images.targetNorm.put(norms);
    return images;
  }

  // ---- the same in double precision, for the first image

  private static double[] plainCost(Features f, Images images) {
    int n = images.n;
    float[] s = f.source.rows(0, n).toFloats();
    float[] t = f.target.rows(0, n).toFloats();
    int cols = (int) f.source.cols();
    double[] cost = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int c = 0; c < cols; c++) {
          double difference = s[i * cols + c] - t[j * cols + c];
          sum += difference * difference;
        }
        cost[i * n + j] = sum;
      }
    }
    double least = Arrays.stream(cost).min().orElseThrow();
    double range = Arrays.stream(cost).max().orElseThrow() - least;
    double centre = (images.side - 1) / 2.0;
    for (int i = 0; i < n; i++) {
      int x = i % images.side;
      int y = i / images.side;
      for (int j = 0; j < n; j++) {
        double dx = x - j % images.side;
        double dy = y - j / images.side;
        double bell = Math.exp(-(dx * dx + dy * dy) / (2.0 * COST.sigma() * COST.sigma()));
        cost[i * n + j] =
            COST.alpha() * (range > 0 ? (cost[i * n + j] - least) / range : 0)
                + COST.beta() * (1 - bell)
                + COST.gamma() * Math.hypot(x - centre, y - centre);
      }
    }
    return cost;
  }

  private static double[] plainImportance(Images images, double[] cost) {
    int n = images.n;
    double[] p = marginal(images.sourceNorm.cols(0, n));
    double[] q = marginal(images.targetNorm.cols(0, n));
    double least = Arrays.stream(cost).min().orElseThrow();
    double[] kernel = Arrays.stream(cost).map(c -> Math.exp(-(c - least) / EPSILON)).toArray();
    double power = 0.5 / (0.5 + EPSILON);
    double[] u = new double[n];
    double[] v = new double[n];
    Arrays.fill(v, 1);
    for (int step = 0; step < ITERATIONS; step++) {
      for (int i = 0; i < n; i++) {
        u[i] = Math.pow(p[i] / product(kernel, i * n, 1, v), power);
      }
      for (int j = 0; j < n; j++) {
        v[j] = Math.pow(q[j] / product(kernel, j, n, u), power);
      }
    }
    return IntStream.range(0, n).mapToDouble(i -> u[i] * product(kernel, i * n, 1, v)).toArray();
  }

  private static double product(double[] kernel, int first, int stride, double[] x) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += kernel[first + i * stride] * x[i];
    }
    return sum;
  }

  private static double[] marginal(Tensor norms) {
    double[] weights = doubles(norms);
    double sum = Arrays.stream(weights).sum();
    return Arrays.stream(weights).map(weight -> weight / sum).toArray();
  }

  private static double[] doubles(Tensor row) {
    float[] values = row.toFloats();
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
  }

  private static int[] plainChoice(Images images, double[] importance) {
    int top = images.top[0];
    List<Integer> order =
        IntStream.range(0, images.n)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -importance[i]))
            .toList();
    int[] others = order.stream().skip(top).mapToInt(i -> i).sorted().toArray();
    IntStream recovered =
        IntStream.range(0, others.length).filter(i -> i % RECOVER_EVERY == 0).map(i -> others[i]);
    return IntStream.concat(order.stream().limit(top).mapToInt(i -> i), recovered)
        .sorted()
        .toArray();
  }

  /** Of the first image's kept tokens, the part that is not as it should be. */
  private static double wrong(Images images, int[] expected) {
    int[] actual = Arrays.copyOf(images.kept.toInts(), expected.length);
    Arrays.sort(actual);
    long missing = Arrays.stream(expected).filter(i -> Arrays.binarySearch(actual, i) < 0).count();
    return (double) missing / expected.length;
  }
}
