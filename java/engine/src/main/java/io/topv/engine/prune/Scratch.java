package io.topv.engine.prune;

import io.topv.runtime.DType;
import io.topv.runtime.Tensor;

/** Device memory for a method's work. */
public interface Scratch {

  /** The tensor of that name, valid until the sequence's prefill is over; contents undefined. */
  Tensor tensor(String name, DType dtype, long rows, long cols);
}
