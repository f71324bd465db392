package io.topv.runtime.cuda;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cudart.cudaDeviceProp;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * A GPU of this machine.
 *
 * @param ordinal N of {@code --device cuda:N}
 * @param capability compute capability, such as "9.0"
 * @param freeBytes memory that no process holds now
 */
public record CudaDevice(
    int ordinal,
    String name,
    String capability,
    int multiprocessors,
    long totalBytes,
    long freeBytes) {

  /**
   * All GPUs; empty where there is a driver, but no GPU that it may use.
   *
   * @throws io.topv.runtime.NativeException UNSUPPORTED without a driver
   */
  public static List<CudaDevice> list() {
    Cuda.load();
    int[] count = new int[1];
    int result = cudart.cudaGetDeviceCount(count);
    if (result == cudart.cudaErrorNoDevice) {
      return List.of();
    }
    Cuda.check(result, "cudaGetDeviceCount");
    int[] current = new int[1];
    Cuda.check(cudart.cudaGetDevice(current), "cudaGetDevice");
    List<CudaDevice> devices = new ArrayList<>();
    try {
      for (int i = 0; i < count[0]; i++) {
        devices.add(describe(i));
      }
    } finally {
      Cuda.check(cudart.cudaSetDevice(current[0]), "cudaSetDevice");
    }
    return devices;
  }

  private static CudaDevice describe(int ordinal) {
    Cuda.check(cudart.cudaSetDevice(ordinal), "cudaSetDevice");
    try (cudaDeviceProp properties = new cudaDeviceProp();
        SizeTPointer free = new SizeTPointer(1);
        SizeTPointer total = new SizeTPointer(1)) {
      Cuda.check(cudart.cudaGetDeviceProperties(properties, ordinal), "cudaGetDeviceProperties");
      Cuda.check(cudart.cudaMemGetInfo(free, total), "cudaMemGetInfo");
      return new CudaDevice(
          ordinal,
          properties.name().getString(),
          properties.major() + "." + properties.minor(),
          properties.multiProcessorCount(),
          total.get(),
          free.get());
    }
  }

  /** Version of CUDA that the driver supports, such as "13.0". */
  public static String driverVersion() {
    Cuda.load();
    int[] version = new int[1];
    Cuda.check(cudart.cudaDriverGetVersion(version), "cudaDriverGetVersion");
    return version[0] / 1000 + "." + version[0] % 1000 / 10;
  }
}
