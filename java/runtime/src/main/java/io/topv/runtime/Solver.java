package io.topv.runtime;

/** How {@link Ops#sinkhorn} turns a cost matrix into importances; see {@code topv_solver}. */
public enum Solver {
  ONE_SIDED,
  UNBALANCED,
  PRINTED,
  STANDARD_UV,
  STANDARD_VU;

  int code() {
    return ordinal();
  }
}
