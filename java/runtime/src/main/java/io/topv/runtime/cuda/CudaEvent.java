package io.topv.runtime.cuda;

import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.global.cudart;

/**
 * A point in a stream's work that others can wait for, or measure time from. {@link
 * io.topv.runtime.Context#wrapEvent} takes its address.
 */
public final class CudaEvent implements AutoCloseable {
  private final CUevent_st event = new CUevent_st();

  /**
   * An event for streams of one GPU.
   *
   * @param device its ordinal
   */
  public CudaEvent(int device) {
    Cuda.select(device);
    Cuda.check(cudart.cudaEventCreate(event), "cudaEventCreate");
  }

  CUevent_st handle() {
    return event;
  }

  /** The {@code CUevent_st*}. */
  public long address() {
    return event.address();
  }

  /** The point after everything that {@code stream} was given so far. */
  public void record(CudaStream stream) {
    Cuda.check(cudart.cudaEventRecord(event, stream.handle()), "cudaEventRecord");
  }

  public void synchronize() {
    Cuda.check(cudart.cudaEventSynchronize(event), "cudaEventSynchronize");
  }

  /** Milliseconds of device time from {@code earlier}; both have passed. */
  public float millisSince(CudaEvent earlier) {
    float[] millis = new float[1];
    Cuda.check(cudart.cudaEventElapsedTime(millis, earlier.event, event), "cudaEventElapsedTime");
    return millis[0];
  }

  @Override
  public void close() {
    if (!event.isNull()) {
      Cuda.check(cudart.cudaEventDestroy(event), "cudaEventDestroy");
      event.setNull();
    }
  }
}
