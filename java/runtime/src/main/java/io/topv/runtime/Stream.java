package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import io.topv.runtime.ffi.topv_stream;

/** An ordered queue of work; {@link Context#use} sends a context's work there. */
public final class Stream implements AutoCloseable {
  private final Context context;
  private topv_stream handle;

  Stream(Context context, topv_stream handle) {
    this.context = context;
    this.handle = handle;
  }

  /** Waits until everything that was queued here is done; throws what went wrong in it. */
  public void synchronize() {
    context.check(topv.topv_stream_synchronize(context.handle(), handle()));
  }

  topv_stream handle() {
    if (handle == null) {
      throw new IllegalStateException("the stream is closed");
    }
    return handle;
  }

  /** Waits for its work. The native stream of a wrapped one stays alive. */
  @Override
  public void close() {
    if (handle != null) {
      context.leave(this);
      context.check(topv.topv_stream_destroy(context.handle(), handle));
      handle = null;
    }
  }
}
