package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import io.topv.runtime.ffi.topv_graph;

/**
 * Recorded work that one call repeats. It names the memory that was there when it was recorded. It
 * is launched on the stream that recorded it, and closed before that stream is.
 */
public final class Graph implements AutoCloseable {
  private final Context context;
  private topv_graph handle;

  Graph(Context context, topv_graph handle) {
    this.context = context;
    this.handle = handle;
  }

  /** Queues the work once more. */
  public void launch() {
    if (handle == null) {
      throw new IllegalStateException("the graph is closed");
    }
    context.check(topv.topv_graph_launch(context.handle(), context.stream(), handle));
  }

  @Override
  public void close() {
    if (handle != null) {
      context.check(topv.topv_graph_destroy(context.handle(), handle));
      handle = null;
    }
  }
}
