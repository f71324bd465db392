package io.topv.flashattention.presets;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * JavaCPP preset over {@code flash_attn/flash_attn.h}. The preload is what lies beside the library
 * where the build had a CUDA compiler: the kernels of provider "topv".
 */
@Properties(
    value =
        @Platform(
            value = "linux-x86_64",
            include = "flash_attn/flash_attn.h",
            link = "flash_attn@.1",
            preload = "topv_cuda"),
    target = "io.topv.flashattention",
    global = "io.topv.flashattention.global.flash_attn")
public class flash_attn implements InfoMapper {
  @Override
  public void map(InfoMap map) {
    map.put(new Info("FLASH_ATTN_API").cppTypes().annotations());
    map.put(new Info("flash_attn_status").enumerate(false).cast().valueTypes("int"));
    map.put(new Info("flash_attn_dtype").enumerate(false).cast().valueTypes("int"));
    // Any Pointer that is a CUstream_st*: that of org.bytedeco.cuda.cudart too.
    map.put(new Info("CUstream_st").cast().pointerTypes("Pointer"));
    // Device memory is an address, whatever its element type: no arrays, no buffers, no copies.
    map.put(new Info("const int32_t", "int32_t").valueTypes("int").pointerTypes("Pointer").cast());
    map.put(new Info("const float", "float").valueTypes("float").pointerTypes("Pointer").cast());
  }
}
