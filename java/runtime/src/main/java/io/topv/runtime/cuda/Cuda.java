package io.topv.runtime.cuda;

import io.topv.runtime.NativeException;
import io.topv.runtime.Status;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Loader;

/**
 * Loads Bytedeco's preset of the CUDA runtime, once and only where a driver is: its native part
 * does not load without. Every other class of this package begins here.
 */
final class Cuda {
  private static final String DRIVER = "libcuda.so.1";
  private static final String RUNTIME = "libcudart.so.13";

  private static boolean loaded;

  private Cuda() {}

  /**
   * Loads the preset.
   *
   * @throws NativeException UNSUPPORTED, naming the library that is missing
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    try {
      Loader.load(org.bytedeco.javacpp.presets.javacpp.class);
      Loader.loadGlobal(DRIVER);
    } catch (LinkageError e) {
      throw unsupported("no NVIDIA driver (" + DRIVER + ")", e);
    }
    try {
      Loader.load(cudart.class);
    } catch (LinkageError e) {
      throw unsupported("no CUDA runtime (" + RUNTIME + "; the profile cuda-runtime ships it)", e);
    }
    loaded = true;
  }

  /** Loads the preset and makes {@code device} the calling thread's current one. */
  static void select(int device) {
    load();
    check(cudart.cudaSetDevice(device), "cudaSetDevice");
  }

  private static NativeException unsupported(String what, LinkageError cause) {
    String words = cause.getMessage();
    String first = words == null ? cause.toString() : words.lines().findFirst().orElse("");
    return new NativeException(Status.UNSUPPORTED, what + ": " + first);
  }

  /** Throws with CUDA's own words unless {@code result} is cudaSuccess. */
  static void check(int result, String call) {
    if (result != cudart.cudaSuccess) {
      Status status =
          result == cudart.cudaErrorMemoryAllocation ? Status.OUT_OF_MEMORY : Status.BACKEND_ERROR;
      String words = cudart.cudaGetErrorString(result).getString();
      throw new NativeException(status, "%s: %s (%d)".formatted(call, words, result));
    }
  }
}
