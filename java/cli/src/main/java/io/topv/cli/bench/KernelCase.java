package io.topv.cli.bench;

import io.topv.engine.TopvException;
import io.topv.runtime.DType;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One routine at one shape, as it is written: {@code gemm dtype=bf16 m=1 n=4096 k=4096}.
 *
 * @param sizes by name, in order
 */
record KernelCase(String routine, DType dtype, Map<String, Integer> sizes) {

  static KernelCase parse(String text) {
    String[] words = text.trim().split("\\s+");
    DType dtype = DType.BF16;
    Map<String, Integer> sizes = new LinkedHashMap<>();
    for (int i = 1; i < words.length; i++) {
      String[] pair = words[i].split("=", 2);
      if (pair.length == 2 && pair[0].equals("dtype")) {
        dtype = dtype(pair[1]);
      } else if (pair.length == 2 && pair[1].matches("\\d{1,9}")) {
        sizes.put(pair[0], Integer.parseInt(pair[1]));
      } else {
        throw new TopvException("\"" + words[i] + "\" is no size; expected NAME=NUMBER");
      }
    }
    return new KernelCase(words[0], dtype, sizes);
  }

  static DType dtype(String name) {
    return switch (name) {
      case "f32" -> DType.F32;
      case "bf16" -> DType.BF16;
      default -> throw new TopvException("dtype = " + name + " is unknown; expected f32 or bf16");
    };
  }

  KernelCase with(DType other) {
    return new KernelCase(routine, other, sizes);
  }

  boolean isAttention() {
    return routine.startsWith("attention");
  }

  int size(String name) {
    Integer size = sizes.get(name);
    if (size == null || size < 1) {
      throw new TopvException("\"" + this + "\" lacks " + name + ", at least 1");
    }
    return size;
  }

  String dtypeName() {
    return dtype.name().toLowerCase(Locale.ROOT);
  }

  /** The sizes alone. */
  String shape() {
    return sizes.entrySet().stream()
        .map(size -> size.getKey() + "=" + size.getValue())
        .collect(Collectors.joining(" "));
  }

  @Override
  public String toString() {
    return routine + " dtype=" + dtypeName() + " " + shape();
  }
}
