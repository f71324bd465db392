package io.topv.engine.weights;

import io.topv.runtime.DType;
import java.util.Optional;

/** Element types of a safetensors file (safetensors 0.6), by the names that its header uses. */
public enum StorageType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E5M2FNUZ(8),
  F8_E4M3FNUZ(8),
  F8_E8M0(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private final int bits;

  StorageType(int bits) {
    this.bits = bits;
  }

  public int bits() {
    return bits;
  }

  /** The type that the engine computes with; empty for all that cannot be weights. */
  public Optional<DType> weight() {
    return switch (this) {
      case F32 -> Optional.of(DType.F32);
      case F16 -> Optional.of(DType.F16);
      case BF16 -> Optional.of(DType.BF16);
      default -> Optional.empty();
    };
  }

  static Optional<StorageType> named(String name) {
    for (StorageType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
