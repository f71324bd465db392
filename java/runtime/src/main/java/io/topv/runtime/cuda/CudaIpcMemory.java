package io.topv.runtime.cuda;

import io.topv.runtime.Address;
import io.topv.runtime.Context;
import io.topv.runtime.DeviceBuffer;
import org.bytedeco.cuda.cudart.cudaIpcMemHandle_t;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Pointer;

/**
 * Device memory of another process of this machine. The one that owns it exports a handle of a few
 * bytes, sends it as it likes, and keeps the memory until every other has closed it.
 */
public final class CudaIpcMemory implements AutoCloseable {
  private final int device;
  private final Pointer memory;

  private CudaIpcMemory(int device, Pointer memory) {
    this.device = device;
    this.memory = memory;
  }

  /**
   * A handle of {@code buffer} for other processes; not for this one. What they are to find in it
   * must be there: {@link Context#synchronize}.
   */
  public static byte[] export(DeviceBuffer buffer) {
    Cuda.load();
    try (cudaIpcMemHandle_t handle = new cudaIpcMemHandle_t()) {
      Cuda.check(
          cudart.cudaIpcGetMemHandle(handle, new Address(buffer.address())), "cudaIpcGetMemHandle");
      byte[] bytes = new byte[(int) handle.sizeof()];
      handle.reserved().get(bytes);
      return bytes;
    }
  }

  /**
   * Maps memory that another process exported.
   *
   * @param device ordinal of the GPU that holds it
   */
  public static CudaIpcMemory open(int device, byte[] exported) {
    Cuda.select(device);
    try (cudaIpcMemHandle_t handle = new cudaIpcMemHandle_t()) {
      if (exported.length != handle.sizeof()) {
        throw new IllegalArgumentException(
            "a handle has %d bytes, not %d".formatted(handle.sizeof(), exported.length));
      }
      handle.reserved().put(exported);
      Pointer memory = new Address(0); // receives the address
      Cuda.check(
          cudart.cudaIpcOpenMemHandle(memory, handle, cudart.cudaIpcMemLazyEnablePeerAccess),
          "cudaIpcOpenMemHandle");
      return new CudaIpcMemory(device, memory);
    }
  }

  /** The first {@code bytes} of it as memory of {@code context}, until this is closed. */
  public DeviceBuffer buffer(Context context, long bytes) {
    return DeviceBuffer.wrap(context, memory.address(), bytes);
  }

  @Override
  public void close() {
    if (!memory.isNull()) {
      Cuda.select(device);
      Cuda.check(cudart.cudaIpcCloseMemHandle(memory), "cudaIpcCloseMemHandle");
      memory.setNull();
    }
  }
}
