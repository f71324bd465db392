package io.topv.runtime.presets;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/** JavaCPP preset over the contract {@code topv/topv.h} alone. */
@Properties(
    value = @Platform(value = "linux-x86_64", include = "topv/topv.h", link = "topv@.1"),
    target = "io.topv.runtime.ffi",
    global = "io.topv.runtime.ffi.topv")
public class topv implements InfoMapper {
  @Override
  public void map(InfoMap map) {
    map.put(new Info("TOPV_API").cppTypes().annotations());
    for (String name : new String[] {"status", "dtype", "copy_kind", "activation", "solver"}) {
      map.put(new Info("topv_" + name).enumerate(false).cast().valueTypes("int"));
    }
    // JavaCPP's Pointer has a position() of its own.
    map.put(new Info("topv_patch_embed_params::position").javaNames("position_embedding"));
    // Device memory is an address to Java, whatever its element type: no arrays, no buffers, no
    // copies.
    map.put(new Info("const int32_t", "int32_t").valueTypes("int").pointerTypes("Pointer").cast());
    map.put(
        new Info("const int64_t", "int64_t").valueTypes("long").pointerTypes("LongPointer").cast());
    map.put(new Info("const float", "float").valueTypes("float").pointerTypes("Pointer").cast());
  }
}
