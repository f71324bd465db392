package io.topv.runtime.cuda;

import io.topv.runtime.Address;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;

/**
 * A stream of CUDA's: this one's own, or one that another library made. {@link
 * io.topv.runtime.Context#wrapStream} takes its address.
 */
public final class CudaStream implements AutoCloseable {
  private final boolean owned;
  private CUstream_st stream;

  private CudaStream(CUstream_st stream, boolean owned) {
    this.stream = stream;
    this.owned = owned;
  }

  /**
   * A new stream that does not wait for the legacy default stream.
   *
   * @param device ordinal of its GPU
   */
  public static CudaStream create(int device) {
    Cuda.select(device);
    CUstream_st stream = new CUstream_st();
    Cuda.check(
        cudart.cudaStreamCreateWithFlags(stream, cudart.cudaStreamNonBlocking),
        "cudaStreamCreateWithFlags");
    return new CudaStream(stream, true);
  }

  /** A stream that stays the caller's; {@code address} is its {@code CUstream_st*}. */
  public static CudaStream wrap(long address) {
    Cuda.load();
    return new CudaStream(new CUstream_st(new Address(address)), false);
  }

  /** The {@code CUstream_st*}. */
  public long address() {
    return stream.address();
  }

  CUstream_st handle() {
    return stream;
  }

  /** Waits for everything that was queued here. */
  public void synchronize() {
    Cuda.check(cudart.cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  }

  /** What is queued here from now on runs after {@code event}. */
  public void waitFor(CudaEvent event) {
    Cuda.check(cudart.cudaStreamWaitEvent(stream, event.handle(), 0), "cudaStreamWaitEvent");
  }

  @Override
  public void close() {
    if (owned && !stream.isNull()) {
      Cuda.check(cudart.cudaStreamDestroy(stream), "cudaStreamDestroy");
    }
    stream.setNull();
  }
}
