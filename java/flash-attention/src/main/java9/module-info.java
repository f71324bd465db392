module io.topv.flashattention {
  requires transitive org.bytedeco.javacpp;

  exports io.topv.flashattention;
  exports io.topv.flashattention.global;
  exports io.topv.flashattention.presets;
}
