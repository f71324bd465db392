package io.topv.engine.model;

import io.topv.runtime.Context;
import io.topv.runtime.Graph;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Repeats decode steps on a GPU at the price of one call: what a step queues depends on its shape
 * alone, and its memory stays where it is. The first step of a shape runs by itself, so that all
 * memory is there; the second is recorded. On the CPU, on a stream of the caller's, and with
 * attention by another provider, which may not let itself be recorded, every step runs by itself.
 */
final class StepGraphs implements AutoCloseable {
  /** Most graphs held; each costs some hundred kilobytes. */
  private static final int MOST = 64;

  /** Keys are counted in steps of so many: one graph serves that many tokens. */
  private static final int KEYS = 256;

  /**
   * What a step's work depends on.
   *
   * @param lowerKeys longest sequence in the lower layers, as {@link #keys} counts
   */
  record Shape(int batch, int lowerKeys, int upperKeys) {}

  private final Workspace workspace;
  private final Set<Shape> seen = new HashSet<>();
  private final Map<Shape, Graph> graphs = new LinkedHashMap<>(16, 0.75f, true);
  private long moves;

  StepGraphs(Workspace workspace) {
    this.workspace = workspace;
  }

  /** At least {@code longest}; the same for many lengths where graphs are used. */
  int keys(int longest) {
    return records() ? (longest + KEYS - 1) / KEYS * KEYS : longest;
  }

  private boolean records() {
    Context context = workspace.context();
    return context.isGpu() && context.usesOwnStream() && context.options().attention().isEmpty();
  }

  void run(Shape shape, Runnable step) {
    if (!records()) {
      step.run();
      return;
    }
    if (moves != workspace.moves()) {
      close();
      moves = workspace.moves();
    }
    Graph graph = graphs.get(shape);
    if (graph == null && !seen.contains(shape)) {
      step.run();
      seen.add(shape); // not where it failed: then not all memory is there
      return;
    }
    if (graph == null) {
      if (graphs.size() == MOST) {
        graphs.remove(graphs.keySet().iterator().next()).close();
      }
      graph = workspace.context().record(step);
      graphs.put(shape, graph);
    }
    graph.launch();
  }

  /** Forgets all graphs. */
  @Override
  public void close() {
    graphs.values().forEach(Graph::close);
    graphs.clear();
    seen.clear();
  }
}
