package io.topv.runtime;

import io.topv.runtime.ffi.topv;
import io.topv.runtime.ffi.topv_context;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;

/** Loads libtopv.so once, and finds the directories that hold its backends and their libraries. */
final class NativeLibrary {
  /** System property: a directory that is searched for backends before the jar. */
  private static final String DIRECTORY = "topv.native.directory";

  private static final String PLATFORM = "linux-x86_64";
  private static final String OURS = "/io/topv/runtime/" + PLATFORM + "/";
  private static final String DNNL = "/org/bytedeco/dnnl/" + PLATFORM + "/";

  private static boolean loaded;

  private NativeLibrary() {}

  static synchronized void load() {
    if (loaded) {
      return;
    }
    String platform = Loader.getPlatform();
    if (!platform.equals(PLATFORM)) {
      throw new NativeException(
          Status.UNSUPPORTED,
          "no native library for " + platform + "; topv is built for " + PLATFORM);
    }
    try {
      Loader.load(topv.class);
    } catch (UnsatisfiedLinkError e) {
      throw new NativeException(
          Status.UNSUPPORTED, "cannot load libtopv.so: " + firstLine(e.getMessage()));
    }
    loaded = true;
  }

  /**
   * Directories for {@code topv_context_params.directory}: backends, then the libraries they need.
   */
  static String searchPath(String backend) {
    List<String> directories = new ArrayList<>();
    String given = System.getProperty(DIRECTORY, "");
    if (!given.isEmpty()) {
      directories.add(given);
    }
    extract(OURS + "libtopv_" + backend + ".so", directories);
    if (backend.equals("cpu")) {
      extract(DNNL + "libgomp.so.1", directories);
      extract(DNNL + "libdnnl.so.3", directories);
    }
    return String.join(File.pathSeparator, directories.stream().distinct().toList());
  }

  /** The library of a backend, with its path; null where it is in none of the directories. */
  static String file(String backend) {
    for (String directory : searchPath(backend).split(File.pathSeparator)) {
      File file = new File(directory, "libtopv_" + backend + ".so");
      if (file.exists()) {
        return file.getPath();
      }
    }
    return null;
  }

  private static void extract(String resource, List<String> directories) {
    URL url = NativeLibrary.class.getResource(resource);
    if (url == null) {
      return; // topv_context_create names the library that it does not find
    }
    try {
      directories.add(Loader.cacheResource(url).getParent());
    } catch (IOException e) {
      throw new NativeException(
          Status.IO_ERROR, "cannot unpack " + resource + ": " + firstLine(e.getMessage()));
    }
  }

  /**
   * Throws for any status but OK, with the message of {@code context} (or of this thread: null).
   */
  static void check(int status, topv_context context) {
    if (status != topv.TOPV_OK) {
      BytePointer message = topv.topv_error_message(context);
      String text = message == null ? "" : message.getString();
      throw new NativeException(Status.of(status), text);
    }
  }

  private static String firstLine(String message) {
    return message == null ? "" : message.lines().findFirst().orElse("");
  }
}
