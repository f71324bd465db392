package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import io.topv.runtime.ffi.topv_event;
import org.bytedeco.javacpp.FloatPointer;

/**
 * A point in the work of a stream: others wait for it ({@link Context#waitFor}), and two of them
 * measure, on the device's own clock.
 */
public final class Event implements AutoCloseable {
  private final Context context;
  private topv_event handle;

  Event(Context context, topv_event handle) {
    this.context = context;
    this.handle = handle;
  }

  /** Puts it behind the work that was queued up to now. */
  public void record() {
    context.check(topv.topv_event_record(context.handle(), context.stream(), handle()));
  }

  /** Waits for this event; the time from {@code begin} to here. Both were recorded. */
  public double millisSince(Event begin) {
    try (FloatPointer millis = new FloatPointer(1)) {
      context.check(topv.topv_event_elapsed(context.handle(), begin.handle(), handle(), millis));
      return millis.get();
    }
  }

  topv_event handle() {
    if (handle == null) {
      throw new IllegalStateException("the event is closed");
    }
    return handle;
  }

  /** A native event that was wrapped stays alive. */
  @Override
  public void close() {
    if (handle != null) {
      context.check(topv.topv_event_destroy(context.handle(), handle));
      handle = null;
    }
  }
}
